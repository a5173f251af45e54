"""The invoices of a rehearsal in the admin: a list to filter, sort and park from, and the page of one, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, OrderBy, QuerySet, Subquery
from django.db.models.functions import Abs
from django.http import HttpRequest

from billing.admin import rehearsal_blocks, rehearsal_lines, rehearsal_outlook
from billing.admin import rehearsal_words as words
from billing.admin.parked_verbs import ParkRehearsed
from billing.domain.bill_differences import Cause
from billing.models import OutlierRule, Rehearsal, RehearsedInvoice
from billing.queries import parked_accounts
from billing.queries import rehearsal_outlook as outlook
from billing.queries import rehearsals as known
from catalog.models import PlanVersion
from config.platform.admin import cells, filters, pages, theme, verbs
from config.platform.admin.blocks import (
    Block,
    Fact,
    Facts,
    Figure,
    Figures,
    Note,
    Page,
    Row,
    Tab,
    Table,
    columns,
)
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.cells import Tone

LATEST = 20
MOST_DIGITS = 18


def _asked_for(value: str) -> QuerySet[Rehearsal]:
    """The rehearsal of this number; the newest that was not dropped first where it is none."""
    if value.isascii() and value.isdecimal() and len(value) <= MOST_DIGITS:
        return Rehearsal.objects.filter(pk=int(value))
    return Rehearsal.objects.exclude(state=Rehearsal.State.DROPPED).order_by("-pk")


def _chosen(value: str) -> Rehearsal | None:
    return _asked_for(value).first()


class RehearsalFilter(filters.ChoiceFilter):
    """One rehearsal: the newest that was not dropped, unless another is asked for."""

    title = "rehearsal"
    parameter_name = "rehearsal"
    all_option = ["", "The newest"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The latest ones."""
        return [(str(row.pk), f"{row} for {cells.instant_text(row.as_of)}") for row in known.rehearsals()[:LATEST]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to it; what is no number is the newest."""
        return queryset.filter(rehearsal_id=Subquery(_asked_for(self.value() or "").values("pk")[:1]))


class FlagFilter(filters.ChoiceFilter):
    """Those that stand out, at all or by a kind of rule."""

    title = "flagged"
    parameter_name = "flagged"
    options = (
        ("yes", "Flagged", lambda rows: rows.filter(is_flagged=True)),
        ("no", "Not flagged", lambda rows: rows.filter(is_flagged=False)),
        *(
            (kind, f"Flagged: {label}", lambda rows, kind=kind: rows.filter(flags__contains=[{"kind": kind}]))
            for kind, label in OutlierRule.Kind.choices
        ),
    )


class CauseFilter(filters.ChoiceFilter):
    """Those whose difference has a cause."""

    title = "cause"
    parameter_name = "cause"
    options = (
        *((one.value, words.CAUSE[one], lambda rows, one=one: known.with_cause(rows, cause=one)) for one in Cause),
    )


class OutcomeFilter(filters.ChoiceFilter):
    """What would become of the customer."""

    title = "outcome"
    parameter_name = "outcome"
    options = (
        ("invoice", "An invoice", lambda rows: rows.filter(error_code="")),
        ("nothing", "No invoice any more", lambda rows: rows.filter(error_code=known.NOTHING_TO_BILL)),
        ("parked", "Parked", lambda rows: rows.filter(error_code=known.PARKED)),
        (
            "failed",
            "A failure",
            lambda rows: rows.exclude(error_code__in=["", known.NOTHING_TO_BILL, known.PARKED]),
        ),
    )


class CurrencyFilter(theme.DropdownFilter):
    """By currency."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The currencies that plans are sold in."""
        sold = PlanVersion.objects.order_by("currency").values_list("currency", flat=True).distinct()
        return [(currency, currency) for currency in sold]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to it."""
        return queryset.filter(currency=self.value()) if self.value() else queryset


@pages.register(RehearsedInvoice)
class RehearsedInvoiceAdmin(pages.PageAdmin):
    """Rehearsed invoices."""

    list_display = (
        "customer_named", "seller", "last_amount", "this_amount", "gap_amount", "why", "stands_out", "outcome",
    )  # fmt: skip
    list_filter = (
        RehearsalFilter,
        FlagFilter,
        CauseFilter,
        OutcomeFilter,
        ("billing_entity", theme.RelatedDropdownFilter),
        CurrencyFilter,
        ("total_amount", theme.RangeNumericFilter),
        ("difference_amount", theme.RangeNumericFilter),
    )
    search_fields = ("customer__name", "customer__legal_name", "customer__external_id", "purchase_order_number")
    search_help_text = "Customer or purchase order number"
    verbs = (ParkRehearsed(),)
    bulk_verbs = (BulkVerb(ParkRehearsed(), "Park the accounts"),)
    empty_title = "No rehearsed invoices"
    empty_text = "Rehearse a billing run: its invoices show here, the largest differences first."

    def get_queryset(self, request: HttpRequest) -> QuerySet[RehearsedInvoice]:
        """Rows with all that a list tells of them; the lines are read where they are shown."""
        rows = super().get_queryset(request).select_related("customer", "billing_entity", "rehearsal")
        return (
            outlook.with_parked_since(rows)
            .annotate(size=Abs("difference_amount"))
            .defer("lines", "previous_lines", "inputs")
        )

    def get_ordering(self, request: HttpRequest) -> Sequence[Any]:
        """The largest difference first, whichever way it goes."""
        return (OrderBy(F("size"), descending=True, nulls_last=True), "pk")

    def list_links(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """The rehearsal whose rows these are, and the way back to all of them."""
        every = verbs.link("Rehearsals", verbs.changelist_url(Rehearsal), "theater_comedy")
        row = _chosen(request.GET.get(RehearsalFilter.parameter_name, ""))
        if row is None:
            return (every,)
        return (verbs.link(f"{row} for {cells.instant_text(row.as_of)}", cells.page_url(row), "theater_comedy"), every)

    @theme.display(description="Customer", ordering="customer__name")
    def customer_named(self, row: RehearsedInvoice) -> str:
        """Whose it is."""
        return cells.stack(row.customer.display_name, row.customer.external_id)

    @theme.display(description="Seller", ordering="billing_date")
    def seller(self, row: RehearsedInvoice) -> str:
        """Which entity bills it, for which day."""
        name = "" if row.billing_entity is None else row.billing_entity.name
        return cells.stack(name, cells.EMPTY if row.billing_date is None else cells.day(row.billing_date))

    @theme.display(description="Last period", ordering="previous_amount")
    def last_amount(self, row: RehearsedInvoice) -> str:
        """What the period before came to."""
        return words.amount(row.previous_amount)

    @theme.display(description="This run", ordering="total_amount")
    def this_amount(self, row: RehearsedInvoice) -> str:
        """What it comes to."""
        return rehearsal_blocks.this_run(row)

    @theme.display(description="Difference", ordering="difference_amount")
    def gap_amount(self, row: RehearsedInvoice) -> str:
        """By how much it differs."""
        return words.signed(row.difference_amount)

    @theme.display(description="Causes")
    def why(self, row: RehearsedInvoice) -> str:
        """Why it differs."""
        return words.causes(row.causes, row.currency)

    @theme.display(description="What stands out", ordering="is_flagged")
    def stands_out(self, row: RehearsedInvoice) -> str:
        """Which rules it met."""
        return words.flags(row.flags)

    @theme.display(description="Outcome", ordering="error_code")
    def outcome(self, row: RehearsedInvoice) -> str:
        """What would become of it."""
        return rehearsal_outlook.mark(row) or words.outcome(row.error_code)

    def links(self, request: HttpRequest, instance: RehearsedInvoice) -> Sequence[dict[str, Any]]:
        """Its rehearsal."""
        return (verbs.link(str(instance.rehearsal), cells.page_url(instance.rehearsal), "theater_comedy"),)

    def page(self, request: HttpRequest, instance: RehearsedInvoice) -> Page:
        """What it would be, beside the one of the period before."""
        details = Tab("Details", (_details(instance), _inputs(instance)))
        if not instance.currency:  # parked or failed: nothing was computed
            return Page(top=(_figures(instance), *_reason(instance)), tabs=(details,))
        lines = Tab("Line by line", (*_flags(instance), rehearsal_lines.table(instance, may_park=False)))
        return Page(top=(_figures(instance), *_reason(instance)), tabs=(lines, details))


def _figures(row: RehearsedInvoice) -> Figures:
    return Figures(
        (
            Figure("Customer", cells.to(row.customer, row.customer.display_name), row.customer.external_id),
            Figure("Last period", words.amount(row.previous_amount)),
            Figure("This run", rehearsal_blocks.this_run(row)),
            Figure("Difference", words.signed(row.difference_amount)),
            Figure("Agreed recurring", cells.money(row.expected_amount), "before tax"),
        )
    )


def _reason(row: RehearsedInvoice) -> tuple[Block, ...]:
    if not row.error_code:
        since = parked_accounts.of_customer(customer_id=row.customer_id)
        if since is None or not getattr(row, "parked_since", False):
            return ()
        return (Note(f"Parked since by {since.parked_label}; the run leaves it out: {since.reason}", Tone.WARN),)
    tone = Tone.WARN if row.error_code in (known.PARKED, known.NOTHING_TO_BILL) else Tone.BAD
    return (Note(row.error or words.OUTCOME.get(row.error_code, row.error_code), tone),)


def _flags(row: RehearsedInvoice) -> tuple[Block, ...]:
    return (rehearsal_lines.flags(row),) if row.flags else ()


def _details(row: RehearsedInvoice) -> Facts:
    return Facts(
        "Invoice",
        (
            Fact("Billing day", cells.day(row.billing_date)),
            Fact("Seller", cells.to(row.billing_entity)),
            Fact("Purchase order number", row.purchase_order_number or cells.EMPTY),
            Fact("Last period's invoice", cells.to(row.previous)),
            Fact("Before tax", cells.money(row.subtotal_amount)),
            Fact("Tax", cells.money(row.tax_amount)),
            Fact("To be paid", cells.money(row.due_amount)),
            Fact("Rehearsal", cells.to(row.rehearsal)),
            Fact("Public id", cells.code(row.uuid)),
        ),
    )


def _inputs(row: RehearsedInvoice) -> Table:
    return Table(
        "Computed from",
        columns("Input", "As it was rehearsed"),
        tuple(
            Row((name, found.get("says") or cells.muted("kept as a digest")))
            for name, found in sorted(row.inputs.items())
        ),
        empty="Nothing was computed.",
        note="The run refuses the invoice when one of them changed since the sign-off." if row.inputs else "",
    )
