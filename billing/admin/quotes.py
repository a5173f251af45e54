"""Quotes in the admin: the list with its views, the page of a quote, its document, and the ways to the editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from moneyed import Money

from billing.admin import (
    quote_answer_verbs,
    quote_blocks,
    quote_editor,
    quote_filters,
    quote_progress_blocks,
    quote_verbs,
)
from billing.models import Contract, Quote, QuoteDelivery, QuoteVersion
from billing.queries import quote_lists, quotes
from billing.services import quote_documents, quote_rows
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Block, Frame, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import link
from config.platform.queries import matching
from customers.queries import finding

TEMPLATE = "admin/billing/quote_list.html"
COMPARISON = "admin/billing/quote_versions.html"
_FORM_METHODS = require_http_methods(["GET", "HEAD", "POST"])


@pages.register(Quote)
class QuoteAdmin(pages.PageAdmin):
    """Quotes."""

    list_display = (
        "quote", "customer_named", "kind_shown", "state_shown", "month_amount", "total_amount", "valid", "owned",
        "made",
    )  # fmt: skip
    list_filter = (
        quote_filters.ViewFilter,
        quote_filters.StateFilter,
        ("kind", theme.ChoicesDropdownFilter),
        ("owner", theme.RelatedDropdownFilter),
        ("billing_entity", theme.RelatedDropdownFilter),
        ("customer", theme.AutocompleteSelectFilter),
        quote_filters.CurrencyFilter,
    )
    list_select_related = ("customer", "owner")
    search_fields = ("number", "name")
    search_help_text = "Beginning of number or name, or customer"
    ordering = ("-created_at", "-id")
    change_list_template = TEMPLATE
    verbs = (
        quote_verbs.Submit(),
        quote_verbs.Approve(),
        quote_verbs.Reject(),
        quote_verbs.Send(),
        quote_answer_verbs.RecordSignature(),
        quote_answer_verbs.RecordLateSignature(),
        quote_answer_verbs.RecordRefusal(),
        quote_verbs.NewVersion(),
        quote_verbs.Void(),
    )
    prominent = ("submit", "approve", "reject", "send", "sign")
    panels = "billing.quote"
    empty_title = "No quote yet"
    empty_text = "A quote offers plans, prices and terms to a customer, who accepts it online. Nothing is typed twice."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quote]:
        """Quotes with their versions."""
        return quote_lists.with_versions(super().get_queryset(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Quote | None:
        """The quote of an address; none where it has no version, of which there is nothing to show."""
        found: Quote | None = super().get_object(request, object_id, from_field)
        return found if found is not None and found.versions.all() else None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Quote], search_term: str
    ) -> tuple[QuerySet[Quote], bool]:
        """Find by the beginnings of number and name, or of a prospect's name, and by customers, looked up first."""
        term = search_term.strip()
        if not term:
            return queryset, False
        rows = queryset.alias(prospect_name=KeyTextTransform("name", "prospect"))
        starts = ("number", "name", "prospect_name")
        return matching.any_of(rows, term, starts=starts, or_else=Q(customer_id__in=finding.keys(term))), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with its views above it."""
        return super().changelist_view(request, {**(extra_context or {}), "views": quote_filters.switch(request)})

    def list_links(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """The way to the editor."""
        if not request.user.has_perm(quote_editor.ADD):
            return ()
        new = link("New quote", self.url("create"), "add") | {"variant": theme.ActionVariant.PRIMARY}
        return (new, link("One-offs", f"{self.url('create')}?kind=one_off", "add_shopping_cart"))

    def links(self, request: HttpRequest, instance: Quote) -> Sequence[dict[str, Any]]:
        """The ways to the editor: of the draft, or of a new quote that says the same."""
        found = []
        if request.user.has_perm(quote_editor.CHANGE) and _state(instance) == QuoteVersion.State.DRAFT:
            found.append(link("Edit", self.url("edit", instance.pk), "edit"))
        contract = instance.contract
        can_be_quoted = contract is None or contract.state == Contract.State.ACTIVE
        if request.user.has_perm(quote_editor.ADD) and can_be_quoted:
            found.append(link("Copy", f"{self.url('create')}?copy={instance.pk}", "content_copy"))
        return found

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """The editor, its sums, the document, and what differs between versions."""
        return (
            ("create/", _FORM_METHODS(self.create_view), "create"),
            ("totals/", require_POST(self.totals_view), "totals"),
            ("<path:object_id>/edit/", _FORM_METHODS(self.edit_view), "edit"),
            ("<path:object_id>/totals/", require_POST(self.totals_view), "edit_totals"),
            ("<path:object_id>/pdf/", require_GET(self.pdf_view), "pdf"),
            ("<path:object_id>/compare/", require_GET(self.compare_view), "compare"),
        )

    def create_view(self, request: HttpRequest) -> HttpResponse:
        """The editor of a new quote."""
        return quote_editor.create_view(self, request)

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The editor of a draft."""
        return quote_editor.edit_view(self, request, object_id)

    def totals_view(self, request: HttpRequest, object_id: str = "") -> HttpResponse:
        """What is typed comes to."""
        return quote_editor.totals_view(self, request, object_id)

    def pdf_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The document of the newest version: the stored one, else as it would be now, which nothing keeps."""
        quote = self._seen(request, object_id)
        if quote is None:
            return HttpResponseNotFound()
        content = quote_documents.preview_pdf(version_id=quote_verbs.newest(quote).pk)
        disposition = "attachment" if "download" in request.GET else "inline"
        return HttpResponse(
            content,
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'{disposition}; filename="{quote.number}.pdf"',
                "Cache-Control": "private, no-store",
            },
        )

    def compare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What differs between any two versions."""
        quote = self._seen(request, object_id)
        if quote is None:
            return self.missing(request, object_id)
        found = {str(one.number): one for one in QuoteVersion.objects.filter(quote=quote).order_by("number")}
        last = str(len(found))
        first, second = request.GET.get("from", ""), request.GET.get("to", "")
        second = second if second in found else last
        first = first if first in found else str(max(int(second) - 1, 1))
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": f"Versions of {quote.number}",
            "opts": self.opts,
            "original": quote,
            "versions": list(found.values()),
            "first": first,
            "second": second,
            "back": self.url("change", quote.pk),
            "blocks": (quote_progress_blocks.differences(found[first], found[second]),),
        }
        return TemplateResponse(request, COMPARISON, context)

    def _seen(self, request: HttpRequest, object_id: str) -> Quote | None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: Quote | None = self.get_object(request, unquote(object_id))
        return found

    @theme.display(description="Quote", ordering="number")
    def quote(self, quote: Quote) -> str:
        """Number and name."""
        return cells.stack(cells.nowrap(quote.number), quote.name)

    @theme.display(description="Customer")
    def customer_named(self, quote: Quote) -> str:
        """Whom it is for."""
        if quote.customer is not None:
            return quote.customer.display_name
        return cells.stack(quotes.party(quote).name, "prospect")

    @theme.display(description="Kind", ordering="kind")
    def kind_shown(self, quote: Quote) -> str:
        """What it is about."""
        return quote.get_kind_display()

    @theme.display(description="State")
    def state_shown(self, quote: Quote) -> str:
        """Where its newest version is."""
        version = next(iter(quote.versions.all()), None)
        if version is None:
            return cells.badge("no version", Tone.BAD)
        shown = quote_blocks.state(version.state)
        return shown if version.number == 1 else cells.stack(shown, f"version {version.number}")

    @theme.display(description="A month")
    def month_amount(self, quote: Quote) -> str:
        """What a month comes to."""
        return _money(getattr(next(iter(quote.versions.all()), None), "recurring_amount", None))

    @theme.display(description="Over the term")
    def total_amount(self, quote: Quote) -> str:
        """What the term comes to."""
        return _money(getattr(next(iter(quote.versions.all()), None), "total_amount", None))

    @theme.display(description="Valid until")
    def valid(self, quote: Quote) -> str:
        """The last day on which it can be accepted."""
        version = next(iter(quote.versions.all()), None)
        if version is None:
            return cells.EMPTY
        today = timezone.localdate(timezone.now())
        return quote_blocks.valid_until(version.valid_until, version.state, today=today)

    @theme.display(description="Owner", ordering="owner")
    def owned(self, quote: Quote) -> str:
        """Whose it is."""
        owner = quote.owner
        return cells.EMPTY if owner is None else owner.get_full_name() or owner.get_username()

    @theme.display(description="Made", ordering="created_at")
    def made(self, quote: Quote) -> str:
        """How old it is."""
        days = (timezone.localdate(timezone.now()) - timezone.localdate(quote.created_at)).days
        age = "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
        return cells.hinted(cells.nowrap(age), cells.instant_text(quote.created_at))

    def page(self, request: HttpRequest, instance: Quote) -> Page:
        """What is offered, how far it is, and its history."""
        version = quote_verbs.newest(instance)
        view = quotes.view(version)
        at = timezone.now()
        mine = quote_lists.approvals_for(person=request.user).filter(version=version).count()
        form = view.order_form
        mails = [] if form is None else list(QuoteDelivery.objects.filter(order_form=form).order_by("-pk")[:20])
        top: tuple[Block, ...] = (
            *quote_progress_blocks.next_step(view, mine=mine),
            quote_blocks.figures(view, today=quote_rows.today(instance, at)),
        )
        pdf = self.url("pdf", instance.pk)
        download = cells.link("Download", f"{pdf}?download")
        compare = self.url("compare", instance.pk)
        return Page(
            top=top,
            tabs=(
                Tab("Offer", (*quote_blocks.offer(view), quote_blocks.parties(view))),
                Tab("Terms", quote_blocks.terms(view)),
                Tab("Approvals", (quote_progress_blocks.approvals(view),), len(view.approvals)),
                Tab(
                    "Customer",
                    (
                        *quote_progress_blocks.made(view, user=request.user),
                        *quote_progress_blocks.customer(view, mails),
                    ),
                ),
                Tab("Document", (Frame("Document", pdf, action=download),)),
                Tab("Versions", (quote_progress_blocks.versions(view, compare_url=compare),), len(view.versions)),
                Tab("History", (*_histories(instance, version, self.url("history", instance.pk)),)),
            ),
        )


def _histories(quote: Quote, version: QuoteVersion, url: str) -> Sequence[Block]:
    """What was done to the quote, and to its newest version."""
    return (history.recent(version, url), history.recent(quote, url))


def _state(quote: Quote) -> str:
    return str(quote_verbs.newest(quote).state)


def _money(amount: Money | None) -> str:
    return cells.EMPTY if amount is None else cells.money(amount)
