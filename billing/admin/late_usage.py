"""The late usage inbox: what came after its time was billed, its money, how it came about, and deciding about it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing.admin import shown
from billing.admin.late_usage_verbs import Bill, Correct, SetPolicy, Waive, period
from billing.domain import verification
from billing.models import BilledPeriod, LateUsage
from billing.queries import late_usage
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Figure, Figures, Note, Page, Row, Sum, Tab, Table, columns
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.cells import Tone

STATE = {
    LateUsage.State.HELD: Tone.WARN,
    LateUsage.State.TO_BILL: Tone.INFO,
    LateUsage.State.CORRECTED: Tone.GOOD,
    LateUsage.State.WAIVED: Tone.NEUTRAL,
    LateUsage.State.NO_EFFECT: Tone.NEUTRAL,
}


class StateFilter(filters.ChoiceFilter):
    """Where entries are."""

    title = "state"
    parameter_name = "state"
    options = (
        *(
            (value, label, lambda rows, value=value: rows.filter(state=value))
            for value, label in LateUsage.State.choices
        ),
    )


@pages.register(LateUsage)
class LateUsageAdmin(pages.PageAdmin):
    """Late usage."""

    list_display = ("charge_named", "customer_named", "time", "events", "units", "effect", "state_shown", "found")
    list_filter = (
        StateFilter,
        ("subscription__customer", theme.AutocompleteSelectFilter),
        ("created_at", filters.DayRangeFilter),
    )
    search_fields = ("subscription__external_id", "subscription__customer__name", "subscription__customer__external_id")
    search_help_text = "Subscription or customer"
    ordering = ("-created_at", "-id")
    list_before_template = "admin/platform/list_blocks.html"
    list_verbs = (SetPolicy(),)
    verbs = (Bill(), Correct(), Waive())
    bulk_verbs = (
        BulkVerb(Bill(), "Bill with the next invoice"),
        BulkVerb(Correct(), "Correct now"),
        BulkVerb(Waive(), "Waive"),
    )
    empty_title = "No late usage"
    empty_text = "Usage that comes after its time was billed shows here with its money, and waits for a decision."

    def get_queryset(self, request: HttpRequest) -> QuerySet[LateUsage]:
        """Entries with all that a row tells of them."""
        return late_usage.listed()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what is still to be looked at and what could not be rated."""
        blocks = [block for block in (_waiting(), _failed()) if block is not None]
        return super().changelist_view(request, {"list_blocks": blocks, **(extra_context or {})})

    @theme.display(description="Charge")
    def charge_named(self, row: LateUsage) -> str:
        """What is priced, and of which part of the usage."""
        return cells.stack(_charge(row), _part(row))

    @theme.display(description="Customer")
    def customer_named(self, row: LateUsage) -> str:
        """Whose it is."""
        return cells.stack(row.subscription.customer.display_name, row.subscription.external_id)

    @theme.display(description="Usage of")
    def time(self, row: LateUsage) -> str:
        """The days that are billed already."""
        return cells.nowrap(period(row))

    @theme.display(description="Events")
    def events(self, row: LateUsage) -> str:
        """How many more, or fewer, events count."""
        return cells.number(row.events_count)

    @theme.display(description="Units")
    def units(self, row: LateUsage) -> str:
        """What was billed, and what there is now."""
        return cells.stack(cells.number_text(row.total_units), f"{cells.number_text(row.settled_units)} before")

    @theme.display(description="Money effect", ordering="amount")
    def effect(self, row: LateUsage) -> str:
        """What is open, net."""
        return cells.money(row.amount)

    @theme.display(description="State", ordering="state")
    def state_shown(self, row: LateUsage) -> str:
        """Where it is."""
        return _state(row)

    @theme.display(description="Found", ordering="created_at")
    def found(self, row: LateUsage) -> str:
        """When it was found."""
        return cells.instant(row.created_at)

    def page(self, request: HttpRequest, instance: LateUsage) -> Page:
        """The entry: its money, how all usage comes to it, and what was billed."""
        notes: tuple[Block, ...] = ()
        if instance.note:
            notes = (Note(f"The policy could not be followed: {instance.note}", Tone.WARN),)
        return Page(
            top=(_figures(instance), *notes),
            tabs=(
                Tab("Worked sum", (_compared(instance), _sum(instance))),
                Tab("Details", (_details(instance),)),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            ),
        )


def _charge(row: LateUsage) -> str:
    name = row.charge.invoice_display_name or row.charge.metric.name
    return f"{name} – True-up" if row.is_true_up else name


def _part(row: LateUsage) -> str:
    parts = []
    if row.charge_filter is not None:
        named = row.charge_filter.invoice_display_name
        parts.append(named or ", ".join(", ".join(values) for values in row.charge_filter.values.values()))
    parts += [f"{key}: {value or '–'}" for key, value in row.group.items()]
    return ", ".join(parts) or row.charge.metric.code


def _state(row: LateUsage) -> str:
    text = row.get_state_display()
    if row.state == LateUsage.State.TO_BILL:
        text = "waits for an invoice" if row.line is None else "billed"
    tone = Tone.GOOD if row.line is not None else STATE[LateUsage.State(row.state)]
    return cells.badge(text, tone)


def _figures(row: LateUsage) -> Figures:
    return Figures(
        (
            Figure("Money effect", cells.money_text(row.amount), "net"),
            Figure("State", _state(row), cells.instant_text(row.decided_at) if row.decided_at else "not decided"),
            Figure("Events", cells.number_text(row.events_count), "more than were billed"),
            Figure("Customer", cells.to(row.subscription.customer), row.subscription.external_id),
            Figure("Usage of", period(row), row.period.timezone),
        )
    )


def _compared(row: LateUsage) -> Table:
    return Table(
        "What changed",
        columns("", "Units#", "Amount, net#"),
        (
            Row(("Billed or decided before", cells.number(row.settled_units), cells.money(row.settled_amount))),
            Row(("All usage now", cells.number(row.total_units), cells.money(row.total_amount))),
            Row(
                ("Difference", cells.number(row.total_units - row.settled_units), cells.money(row.amount)),
                is_total=True,
            ),
        ),
    )


def _sum(row: LateUsage) -> Sum:
    found = verification.verify(trace=row.trace, sha256=row.trace_sha256, amount=row.amount.amount)
    if found.is_right:
        return Sum(
            shown.worked(found), f"Computed again from the stored inputs: {cells.money_text(row.amount)}.", Tone.GOOD
        )
    problem = found.problem or "it does not give this amount"
    return Sum(shown.worked(found), f"Computed again from the stored inputs: {problem}.", Tone.BAD)


def _details(row: LateUsage) -> Facts:
    return Facts(
        "Late usage",
        (
            Fact("Subscription", cells.to(row.subscription)),
            Fact("Charge", _charge(row)),
            Fact("Filter and group", _part(row)),
            Fact("Billed by", _billed_by(row.period)),
            Fact("Settled by", cells.EMPTY if row.line is None else cells.to(row.line.invoice)),
            Fact("First event received", cells.instant(row.first_received_at)),
            Fact("Last event received", cells.instant(row.last_received_at)),
            Fact("Found", cells.instant(row.created_at)),
            Fact("Last looked at", cells.instant(row.updated_at)),
            Fact("Decided by", row.decided_by or cells.EMPTY),
            Fact("Reason", row.reason or cells.EMPTY),
            Fact("Public id", cells.code(row.uuid)),
        ),
    )


def _billed_by(time: BilledPeriod) -> object:
    return cells.muted("nothing was to be billed") if time.invoice is None else cells.to(time.invoice)


def _waiting() -> Note | None:
    count = late_usage.waiting()
    if not count:
        return None
    text = f"Billed periods with new events that are still to be looked at: {cells.number_text(count)}."
    return Note(text, Tone.INFO)


def _failed() -> Table | None:
    rows = tuple(
        Row(
            (
                cells.to(one.period.subscription),
                cells.period_text(one.period.charges_from_at, one.period.charges_to_at, one.period.timezone),
                _billed_by(one.period),
                one.error,
            )
        )
        for one in late_usage.failed()[:20]
    )
    if not rows:
        return None
    return Table("Could not be rated", columns("Subscription", "Usage of", "Billed by", "Why"), rows)
