"""The editor of a quote: one form for all that it offers, with sums that follow the typing, computed here.

Asking for the sums, adding a row and taking one away write nothing; only saving does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone

from billing.admin import (
    contract_blocks,
    quote_editor_conflicts,
    quote_editor_page,
    quote_editor_rows,
    quote_editor_start,
    quote_sums,
)
from billing.admin import quote_editor_terms as editor_terms
from billing.admin.quote_editor_forms import HeadForm, StartForm
from billing.admin.quote_editor_page import Catalogue
from billing.admin.quote_editor_rows import Typed
from billing.admin.quote_editor_start import Start
from billing.admin.quote_editor_terms import Asked
from billing.domain import quote_snapshots, quote_terms
from billing.models import Contract, Quote, QuoteVersion
from billing.services import quote_versions, quotes
from billing.services.quotes import NewQuote, QuoteValues
from config.kernel import dates, errors
from config.platform.admin import acting, verbs
from config.platform.admin.blocks import Block
from customers.models import BillingEntity

TEMPLATE = "admin/billing/quote_editor.html"
ROWS = "admin/billing/quote_rows.html"
TOTALS = "admin/billing/quote_totals.html"
ADD, CHANGE, SUBMIT = "billing.add_quote", "billing.change_quote", "billing.change_quote"
SAVES = ("save", "submit")
LOWER = ("Term and payment", "Texts")
PART = "X-Quote-Part"
OVER = "Somebody submitted or voided it meanwhile. What you typed is still here: put it into a new version."
UNREAD = "Some of it cannot be read yet: see the fields in red."
EXPLANATION = {
    Quote.Kind.NEW: "Products for a term, at prices of their own where you agree on some. The sums follow.",
    Quote.Kind.RENEWAL: "The next term of a contract. It begins with what the contract sells now, after its uplift.",
    Quote.Kind.AMENDMENT: "What changes in a contract that runs, and what that comes to before and after.",
    Quote.Kind.ONE_OFF: "Add-ons that are sold once, without a contract.",
}
HEADINGS = {
    Quote.Kind.NEW: "New quote",
    Quote.Kind.RENEWAL: "Quote a renewal",
    Quote.Kind.AMENDMENT: "Quote a change",
    Quote.Kind.ONE_OFF: "Quote one-offs",
}


@dataclass
class Desk:
    """What one request is about: the quote and its draft, if there is one, what was typed, what is wrong."""

    form: HeadForm
    typed: Typed
    kind: str
    catalogue: Catalogue
    contract: Contract | None = None
    quote: Quote | None = None
    version: QuoteVersion | None = None
    asked: Asked = field(default_factory=Asked)
    focus: str = ""
    conflict: tuple[Block, ...] = ()


def create_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show an empty form, or one that starts from something (GET); keep it as a quote (POST)."""
    _require(request, model_admin, ADD)
    at = timezone.now()
    if request.method == "POST":
        return _posted(model_admin, request, None, at)
    once = _key(request.GET.get("once", ""))
    made = None if once is None else Quote.objects.filter(uuid=once).first()
    if made is not None:
        messages.info(request, f"This was saved as {made.number}.")
        return HttpResponseRedirect(model_admin.url("edit", made.pk))
    start = _start(request, at)
    return _page(model_admin, request, _opened(start), at, start_form=StartForm())


def edit_view(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the draft of a quote (GET), keep what was changed (POST)."""
    _require(request, model_admin, CHANGE)
    version, refused = _draft(model_admin, request, object_id)
    if version is None:
        return refused
    at = timezone.now()
    if request.method == "POST":
        return _posted(model_admin, request, version, at)
    start = quote_editor_start.of_version(version, at=at)
    start.head["seen"] = quote_versions.seen_of(version)
    return _page(model_admin, request, _opened(start, version), at)


def totals_view(model_admin: Any, request: HttpRequest, object_id: str = "") -> HttpResponse:
    """Answer with what is typed comes to, the consents that it would need, and what is wrong. Writes nothing."""
    _require(request, model_admin, CHANGE if object_id else ADD)
    version = None
    if object_id:
        version, refused = _draft(model_admin, request, object_id, is_told=False)
        if version is None:
            return refused if refused.status_code == HTTPStatus.NOT_FOUND else JsonResponse({"is_over": OVER})
    at = timezone.now()
    desk = _read(request, version, at, is_live=True)
    found = summed(desk, at=at)
    return JsonResponse({"html": render_to_string(TOTALS, found), "errors": _wrong(desk)})


def summed(desk: Desk, *, at: datetime) -> dict[str, Any]:
    """What the panel beside the form shows: sums, consents, and what has no field of its own."""
    found: dict[str, Any] = {}
    unread = desk.form.unread()
    if any(desk.asked.terms.values()) and not desk.asked.wrong and not unread:
        try:
            quote = desk.quote or _unsaved(desk)
            terms = quote_terms.read({**desk.form.terms(), **desk.asked.terms})
            totals = quote_versions.calculate(quote=quote, terms=terms, at=at, currency=_currency(desk))
            found["needs"] = quote_versions.consents(quote=quote, terms=terms, totals=totals)
            found["sums"] = quote_sums.of(totals, is_amendment=desk.kind == Quote.Kind.AMENDMENT)
        except errors.DomainError as refusal:
            desk.asked.refuse(refusal)
    if desk.asked.wrong or unread:
        found["sums_empty"] = UNREAD
    found["problems"] = [*unread, *desk.asked.others]
    found["has_no_term"] = desk.form.has_no_term()
    return found


def _require(request: HttpRequest, model_admin: Any, right: str) -> None:
    if not request.user.has_perm(right) or not model_admin.has_view_permission(request):
        raise PermissionDenied


def _draft(
    model_admin: Any, request: HttpRequest, object_id: str, *, is_told: bool = True
) -> tuple[QuoteVersion | None, HttpResponse]:
    quote = model_admin.get_object(request, unquote(object_id))
    if quote is None:
        return None, model_admin.missing(request, object_id)
    rows = QuoteVersion.objects.select_related(
        "quote__customer__billing_entity", "quote__billing_entity", "quote__contract"
    )
    version = rows.filter(quote=quote).order_by("-number").first()
    if version is None or version.state != QuoteVersion.State.DRAFT:
        if is_told:
            messages.warning(request, "What was submitted stays as it is. Copy it to a new version to change it.")
        return None, HttpResponseRedirect(verbs.object_url(model_admin, quote))
    return version, HttpResponse()


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _start(request: HttpRequest, at: datetime) -> Start:
    zone = timezone.get_current_timezone()
    kind = request.GET.get("kind", "")
    kind = kind if kind in Quote.Kind.values else Quote.Kind.NEW.value
    asked = StartForm(request.GET)
    asked.is_valid()
    copy, contract = asked.cleaned_data.get("copy"), asked.cleaned_data.get("contract")
    if copy is not None:
        version = copy.versions.select_related("quote__contract", "quote__customer").order_by("-number").first()
        if version is not None:
            return quote_editor_start.copied(copy, version, at=at, zone=zone)
    if contract is not None and request.user.has_perm("billing.view_contract"):
        about = kind if kind in (Quote.Kind.AMENDMENT, Quote.Kind.RENEWAL) else Quote.Kind.AMENDMENT.value
        found = quote_editor_start.with_content(contract.pk)
        return quote_editor_start.of_contract(found, kind=about, at=at, zone=zone)
    if kind in (Quote.Kind.AMENDMENT, Quote.Kind.RENEWAL):
        messages.warning(request, "Choose the contract that it is about.")
        kind = Quote.Kind.NEW.value
    customer, plan = request.GET.get("customer", ""), request.GET.get("plan", "")
    customer = customer if customer.isascii() and customer.isdecimal() and len(customer) < 19 else ""
    return quote_editor_start.fresh(at=at, zone=zone, kind=kind, customer=customer, plan=plan.replace("\x00", "")[:255])


def _opened(start: Start, version: QuoteVersion | None = None) -> Desk:
    quote = None if version is None else version.quote
    kind = str(start.head["kind"])
    form = HeadForm(quote=quote, initial=start.head)
    found = quote_editor_page.catalogue(contract=start.contract, lists=start.lists)
    return Desk(form, start.typed, kind, found, start.contract, quote, version)


def _read(request: HttpRequest, version: QuoteVersion | None, at: datetime, *, is_live: bool) -> Desk:
    """Read what was sent."""
    quote = None if version is None else version.quote
    posted = request.POST.copy()
    if quote is not None:
        posted["kind"], posted["contract"] = quote.kind, str(quote.contract_id or "")
    form = HeadForm(posted, quote=quote, is_live=is_live)
    form.is_valid()
    kind = str(form.cleaned_data.get("kind") or Quote.Kind.NEW.value)
    contract = form.cleaned_data.get("contract") if kind in (Quote.Kind.AMENDMENT, Quote.Kind.RENEWAL) else None
    if contract is not None:
        contract = quote_editor_start.with_content(contract.pk)
    typed = quote_editor_rows.read(posted)
    focus = quote_editor_rows.act(typed, request.POST.get("step", ""))
    day = at.date() if contract is None else dates.local_date(at, dates.zone(contract.customer.applicable_timezone))
    lists = quote_editor_start.lists_of(typed, contract=contract, day=day)
    found = quote_editor_page.catalogue(contract=contract, lists=lists)
    desk = Desk(form, typed, kind, found, contract, quote, version, focus=focus)
    desk.asked = editor_terms.of(typed, currency=_currency(desk), lists=lists, is_live=is_live)
    return desk


def _posted(model_admin: Any, request: HttpRequest, version: QuoteVersion | None, at: datetime) -> HttpResponse:
    step = request.POST.get("step", "")
    desk = _read(request, version, at, is_live=step not in SAVES)
    if request.headers.get(PART):
        return HttpResponse(render_to_string(ROWS, _rows(desk), request))
    if step in SAVES and desk.form.is_valid() and not desk.asked.wrong:
        try:
            quote = _saved(request, desk, at)
        except quotes.QuoteChanged:
            desk.conflict = _conflict(desk, desk.version)
        except errors.DomainError as refusal:
            _refuse(desk, refusal)
        else:
            if step == "submit":
                return HttpResponseRedirect(model_admin.url("submit", quote.pk))
            messages.success(request, f"The draft of {quote.number} was kept.")
            return HttpResponseRedirect(verbs.object_url(model_admin, quote))
    return _page(model_admin, request, desk, at, is_refused=step in SAVES)


def _saved(request: HttpRequest, desk: Desk, at: datetime) -> Quote:
    """Keep it, all of it or nothing. Raises DomainError."""
    values, actor = desk.form.cleaned_data, acting.actor(request)
    terms = quote_terms.read({**desk.form.terms(), **desk.asked.terms})
    if desk.version is None or desk.quote is None:
        customer, entity = values.get("customer"), values.get("billing_entity")
        is_prospect = desk.form.is_for_prospect(values)
        new = NewQuote(
            kind=desk.kind,
            name=values["name"],
            external_customer_id="" if customer is None or is_prospect else customer.external_id,
            prospect=desk.form.prospect(values) if is_prospect else {},
            billing_entity_code=entity.code if is_prospect and entity is not None else "",
            contract_number="" if desk.contract is None else desk.contract.number,
            owner_id=None if values["owner"] is None else values["owner"].pk,
            currency="" if desk.contract is not None else _currency(desk),
            terms=terms,
            introduction=values["introduction"],
            valid_until=values["valid_until"],
            once=values["once"],
        )
        return quotes.create(new=new, actor=actor, at=at)
    with transaction.atomic():
        changed = QuoteValues(name=values["name"])
        if values["owner"] is not None:
            changed["owner_id"] = values["owner"].pk
        if desk.form.is_for_prospect(values):
            others = {k: v for k, v in desk.quote.prospect.items() if k not in desk.form.prospect_fields()}
            changed["prospect"] = {**others, **desk.form.prospect(values)}
        quote_versions.change(
            version_id=desk.version.pk,
            terms=terms,
            introduction=values["introduction"],
            valid_until=values["valid_until"],
            seen=values["seen"],
            currency="" if desk.contract is not None else _currency(desk),
            actor=actor,
            at=at,
        )
        seen = values["seen"].rpartition("|")[2]
        return quotes.update(quote_id=desk.quote.pk, values=changed, seen=seen, actor=actor, at=at)


def _conflict(desk: Desk, version: QuoteVersion | None) -> tuple[Block, ...]:
    if version is None:
        return ()
    terms = quote_terms.read({**desk.form.terms(), **desk.asked.terms})
    currency = "" if desk.contract is not None else _currency(desk)
    return quote_editor_conflicts.shown(form=desk.form, version_id=version.pk, terms=terms, currency=currency)


def _refuse(desk: Desk, refusal: errors.DomainError) -> None:
    """Show a refusal where it belongs: at a field of the head, at one of the rows, or above all."""
    of_head = {k: v for k, v in refusal.details.items() if desk.form.aliases.get(k, k) in desk.form.fields}
    if of_head and len(of_head) == len(refusal.details):
        desk.form.refuse(refusal)
        return
    before = len(desk.asked.others)
    desk.asked.refuse(refusal)
    for text in desk.asked.others[before:]:
        desk.form.add_error(None, text)


def _unsaved(desk: Desk) -> Quote:
    """A quote that is not there yet, to sum up for. Raises NotFound before there is a seller."""
    values = desk.form.cleaned_data
    contract = desk.contract
    customer = contract.customer if contract is not None else values.get("customer")
    if desk.form.is_for_prospect(values):
        customer = None
    entity = customer.billing_entity if customer is not None else values.get("billing_entity")
    entity = entity or BillingEntity.objects.order_by("-is_default", "pk").first()
    if entity is None:
        raise errors.NotFound("billing_entity_not_found", "There is no billing entity to sell as yet.")
    return Quote(kind=desk.kind, customer=customer, billing_entity=entity, contract=contract)


def _currency(desk: Desk) -> str:
    """The currency of what is typed: the contract's or customer's where they have one."""
    if desk.contract is not None:
        return desk.contract.currency
    values = getattr(desk.form, "cleaned_data", {})
    customer = desk.quote.customer if desk.quote is not None else values.get("customer")
    if values.get("whom") == "prospect":
        customer = None
    fixed = "" if customer is None else customer.currency
    chosen = values.get("currency") or ("" if desk.version is None else desk.version.currency)
    return fixed or chosen or str(desk.form.initial.get("currency") or "EUR")


def _rows(desk: Desk) -> dict[str, Any]:
    lists = quote_editor_page.shown(desk.typed, kind=desk.kind, found=desk.catalogue, errors=_wrong(desk))
    has_empty = any(not one.rows and not one.is_main for one in lists)
    return {"lists": lists, "focus": desk.focus, "has_empty": has_empty}


def _wrong(desk: Desk) -> Mapping[str, str]:
    return desk.asked.wrong


def _page(
    model_admin: Any,
    request: HttpRequest,
    desk: Desk,
    at: datetime,
    *,
    start_form: StartForm | None = None,
    is_refused: bool = False,
) -> HttpResponse:
    sums = summed(desk, at=at) if desk.form.is_bound else _kept(desk)
    if is_refused and not desk.form.errors:
        desk.form.add_error(None, "Some fields need another look: they are marked below.")
    request.current_app = model_admin.admin_site.name
    quote = desk.quote
    sections = list(desk.form.arranged())
    context = {
        **model_admin.admin_site.each_context(request),
        "title": HEADINGS[Quote.Kind(desk.kind)] if quote is None else f"Edit {quote.number}",
        "heading": HEADINGS[Quote.Kind(desk.kind)] if quote is None else f"Edit {quote}",
        "explanation": EXPLANATION[Quote.Kind(desk.kind)],
        "opts": model_admin.opts,
        "original": quote,
        "form": desk.form,
        "upper": [(title, fields) for title, fields in sections if title not in LOWER and fields],
        "lower": [(title, fields) for title, fields in sections if title in LOWER and fields],
        "has_choice": "whom" in desk.form.fields,
        "start_form": start_form,
        "contract_blocks": () if desk.contract is None else (contract_blocks.summary(desk.contract),),
        "conflict": desk.conflict,
        "totals_url": model_admin.url("totals") if quote is None else model_admin.url("edit_totals", quote.pk),
        "may_submit": request.user.has_perm(SUBMIT),
        "back": verbs.changelist_url(Quote) if quote is None else verbs.object_url(model_admin, quote),
        "media": verbs.form_media(desk.form) + (start_form.media if start_form is not None else verbs.form_media(None)),
        **_rows(desk),
        **sums,
    }
    return TemplateResponse(request, TEMPLATE, context)


def _kept(desk: Desk) -> dict[str, Any]:
    """The sums that were kept with a draft; a form that was just filled in asks for them once it is shown."""
    version = desk.version
    totals = None if version is None else quote_snapshots.read(version.figures)
    if version is None or totals is None:
        return {"is_fresh": True}
    terms = quote_terms.read(version.terms)
    return {
        "needs": quote_versions.consents(quote=version.quote, terms=terms, totals=totals),
        "sums": quote_sums.of(totals, is_amendment=desk.kind == Quote.Kind.AMENDMENT),
    }
