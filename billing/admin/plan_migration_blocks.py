"""A migration to another plan version on its page: what it comes to, who pays how much more or less, who is touched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from moneyed import Money

from billing.models import PlanMigration, PlanMigrationItem
from billing.queries import plan_migrations as known
from config.kernel import money as kernel_money
from config.platform.admin import cells, paging
from config.platform.admin.blocks import (
    Beside,
    Block,
    Chart,
    Fact,
    Facts,
    Figure,
    Figures,
    Note,
    Progress,
    Row,
    Series,
    Table,
    columns,
)
from config.platform.admin.cells import Tone

ITEMS = 100
LARGEST = 10
State = PlanMigration.State
ItemState = PlanMigrationItem.State

_BUCKETS = (
    ("> 50 % less", "good"),
    ("10–50 % less", "good"),
    ("≤ 10 % less", "good"),
    ("Same", "neutral"),
    ("≤ 10 % more", "warn"),
    ("10–50 % more", "orange"),
    ("> 50 % more", "bad"),
)
_TONES = {
    State.DRAFT: Tone.NEUTRAL,
    State.SUBMITTED: Tone.WARN,
    State.APPROVED: Tone.INFO,
    State.RUNNING: Tone.INFO,
    State.DONE: Tone.GOOD,
    State.FAILED: Tone.BAD,
    State.WITHDRAWN: Tone.NEUTRAL,
}
_ITEM_TONES = {
    ItemState.WAITING: Tone.NEUTRAL,
    ItemState.MOVED: Tone.GOOD,
    ItemState.SCHEDULED: Tone.GOOD,
    ItemState.SKIPPED: Tone.WARN,
    ItemState.FAILED: Tone.BAD,
}


def badge(migration: PlanMigration) -> str:
    """Where it is."""
    return cells.badge(migration.get_state_display(), _TONES[State(migration.state)])


def route(migration: PlanMigration) -> str:
    """From which version to which: "versions before → version 3"."""
    source = "all other versions" if migration.from_version is None else f"version {migration.from_version.number}"
    return f"{source} → version {migration.to_version.number}"


def timing(migration: PlanMigration) -> str:
    """When the subscriptions move."""
    if migration.change_date is not None:
        return f"on {cells.day_text(migration.change_date)}, local to each customer"
    return migration.get_timing_display()


def facts(migration: PlanMigration) -> Facts:
    """What was asked for, and who agreed."""
    return Facts(
        "Migration",
        (
            Fact("Plan", cells.to(migration.plan)),
            Fact("State", badge(migration)),
            Fact("Moves", route(migration)),
            Fact("When", timing(migration)),
            Fact("Reason", migration.reason),
            Fact("Made by", f"{migration.made_by_label}, {cells.instant_text(migration.created_at)}"),
            Fact("Submitted by", _person(migration.submitted_by, migration.submitted_at)),
            Fact("Approved by", _person(migration.approved_by, migration.approved_at)),
            Fact("Preview", cells.instant(migration.previewed_at)),
        ),
    )


def warnings(migration: PlanMigration) -> tuple[Block, ...]:
    """What changed since the preview, while it still matters."""
    if migration.state not in (State.DRAFT, State.SUBMITTED):
        return ()
    stale = known.staleness(migration)
    if not stale:
        return ()
    text = (
        f"The preview is out of date: {stale.changed} subscriptions changed, {stale.new} came, {stale.gone} went. "
        "Compute it anew before going on."
    )
    return (Note(text, Tone.WARN),)


def progress(migration: PlanMigration, url: str) -> tuple[Block, ...]:
    """How far the run is, and what came of it."""
    if migration.state not in (State.APPROVED, State.RUNNING, State.DONE, State.FAILED):
        return ()
    counts = known.counts(migration)
    total = sum(counts.values())
    figures = tuple(
        Figure(label, cells.number_text(counts[state]), tone=tone if counts[state] else Tone.NEUTRAL)
        for state, label, tone in (
            (ItemState.MOVED, "Moved", Tone.NEUTRAL),
            (ItemState.SCHEDULED, "Scheduled", Tone.NEUTRAL),
            (ItemState.SKIPPED, "Left out", Tone.WARN),
            (ItemState.FAILED, "Failed", Tone.BAD),
        )
    )
    running = migration.state in (State.APPROVED, State.RUNNING)
    done = total - counts[ItemState.WAITING]
    title = "Moving subscriptions" if running else "Result"
    return (Progress(title, done, total, running, url if running else "", figures),)


def preview(migration: PlanMigration) -> tuple[Block, ...]:
    """What it does to the next invoices: figures, who pays how much more or less, the largest changes."""
    totals, counts = known.totals(migration), known.counts(migration)
    touched = sum(counts.values())
    hint = f"{cells.number_text(totals.less)} pay less, {cells.number_text(totals.more)} pay more"
    figures = Figures(
        (
            Figure("Subscriptions", cells.number_text(touched), hint),
            Figure("Before", cells.money_text(totals.before)),
            Figure("After", cells.money_text(totals.after)),
            Figure("Difference", signed(totals.difference), share(totals.before, totals.difference), _tone(totals)),
        )
    )
    names, tones = zip(*_BUCKETS, strict=True)
    chart = Chart(
        "Who would pay less, who more",
        names,
        (Series("Subscriptions", tuple(known.buckets(migration)), "accent", tones),),
        empty="No next invoice has been priced.",
    )
    return (figures, Note(_basis(migration)), Beside((chart, _largest(migration))))


def table(migration: PlanMigration, request: HttpRequest) -> Table:
    """The subscriptions, page by page: those that failed or were left out first."""
    page = paging.of(known.items(migration), request, name="items", per_page=ITEMS)
    return Table(
        "Subscriptions",
        columns("Subscription", "Customer", "From", "Before#", "After#", "Difference#", "State"),
        tuple(Row(_item(item)) for item in page.rows),
        empty="No subscription is touched.",
        action=page.links or cells.link(cells.nowrap("Download CSV"), "../csv/"),
    )


def signed(amount: Money) -> str:
    """A difference with its sign."""
    text = cells.money_text(amount)
    return f"+{text}" if amount.amount > 0 else text


def share(before: Money, difference: Money) -> str:
    """A difference in percent of what it was; nothing where it was nothing."""
    if not before.amount:
        return ""
    rate = kernel_money.round_half_up(difference.amount / before.amount, 3)
    return f"{'+' if rate > 0 else ''}{cells.percent_text(rate)}"


def _largest(migration: PlanMigration) -> Table:
    rows = known.largest(migration, limit=LARGEST)
    return Table(
        "Largest changes",
        columns("Subscription", "Before#", "After#", "Difference#"),
        tuple(
            Row(
                (
                    cells.stack(cells.to(item.subscription), item.subscription.customer.display_name),
                    cells.money(item.before_amount),
                    cells.money(item.after_amount),
                    cells.nowrap(signed(item.difference_amount)),
                )
            )
            for item in rows
        ),
        empty="No next invoice changes.",
    )


def _item(item: PlanMigrationItem) -> tuple[object, ...]:
    state = cells.badge(item.get_state_display(), _ITEM_TONES[ItemState(item.state)])
    difference: Any = cells.EMPTY
    if item.difference_amount is not None:
        difference = cells.nowrap(signed(item.difference_amount))
    return (
        cells.to(item.subscription),
        cells.to(item.subscription.customer, item.subscription.customer.display_name),
        f"version {item.from_version.number}",
        cells.money(item.before_amount),
        cells.money(item.after_amount),
        difference,
        cells.stack(state, item.reason) if item.reason else state,
    )


def _basis(migration: PlanMigration) -> str:
    if migration.timing == PlanMigration.Timing.NOW:
        return "The next invoice of each subscription, without tax, on the usage that was stored at the preview."
    return (
        "The first invoice by the new version, without tax, on the usage of the running period that was stored at the "
        "preview."
    )


def _person(user: Any, at: Any) -> object:
    if user is None:
        return cells.EMPTY
    return f"{user.get_full_name() or user.get_username()}, {cells.instant_text(at)}"


def _tone(totals: known.Totals) -> Tone:
    difference: Decimal = totals.difference.amount
    if not difference:
        return Tone.NEUTRAL
    return Tone.GOOD if difference > 0 else Tone.WARN
