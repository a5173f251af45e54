"""What the page of a rehearsal shows: how far it is, what it comes to, why it differs, which invoices to look at.

Owns the blocks; the sums and the reading of lines are the queries', states and causes as words are `rehearsal_words`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import F, OrderBy, QuerySet
from django.db.models.functions import Abs
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from moneyed import Money

from billing.admin import live_progress, rehearsal_lines, rehearsal_outlook, shown
from billing.admin import rehearsal_words as words
from billing.admin.live_progress import Item, LiveProgress
from billing.models import Rehearsal, RehearsedInvoice
from billing.queries import rehearsal_outlook as outlook
from billing.queries import rehearsals as known
from billing.queries.rehearsal_outlook import Since
from billing.queries.rehearsals import Sums
from config.kernel import money
from config.platform.admin import cells, paging
from config.platform.admin.blocks import (
    Block,
    Chart,
    Fact,
    Facts,
    Figure,
    Figures,
    Head,
    Note,
    Row,
    Series,
    Table,
    Uneven,
    columns,
)
from config.platform.admin.cells import Tone

State = Rehearsal.State
_GOING = (State.WAITING, State.RUNNING)
_REVIEWED = (State.SIGNED_OFF, State.BILLED)


def is_being_billed(row: Rehearsal) -> bool:
    """Say whether a worker bills it, or is to."""
    return row.state == State.SIGNED_OFF and row.bill_asked_at is not None


def progress(row: Rehearsal, *, url: str, at: datetime) -> LiveProgress:
    """How far the computing is, or the run that bills it."""
    return _billing(row, url) if is_being_billed(row) else _computing(row, url, at)


def notes(row: Rehearsal, *, is_own: bool, needs_sign_off: bool, at: datetime) -> Iterator[Note]:
    """What to know and to do next, by its state. Where runs need a sign-off the scheduler bills it by itself."""
    if row.state == State.FAILED:
        yield Note(f"It was broken off: {row.error or 'the worker is gone'}. Rehearse again.", Tone.BAD)
    elif row.state == State.READY and is_own:
        yield Note("You asked for this rehearsal, so another person signs it off. Nothing was written so far.")
    elif row.state == State.READY:
        yield Note("Nothing was written so far. Review it, park who is to wait, then sign it off.")
    elif row.state == State.SIGNED_OFF and row.bill_asked_at is None:
        next_run = cells.instant_text(rehearsal_outlook.next_run(after=max(row.as_of, at)))
        by_itself = (
            f"The scheduler bills it by itself on {next_run}."
            if needs_sign_off
            else f"Bill it before the hourly run of {next_run}, which bills what is due, rehearsed or not."
        )
        yield Note(
            f"It is signed off and can be billed from {cells.instant_text(row.as_of)} on. {by_itself} What changed "
            "until then is refused, and you are told what.",
            Tone.ACCENT,
        )
    elif row.state == State.BILLED and row.run is not None:
        tone = Tone.WARN if row.run.failures_count else Tone.GOOD
        yield Note(cells.link(f"{row.run} billed it: {rehearsal_outlook.became(row)}.", cells.page_url(row.run)), tone)
    elif row.state == State.DROPPED:
        yield Note("It was dropped: nobody can bill it.", Tone.NEUTRAL)


def figures(row: Rehearsal, *, since: Sequence[Since]) -> Figures:
    """The few numbers of all currencies together; ``since`` is what was parked after it was rehearsed."""
    left, accounts = sum(one.invoices_count for one in since), sum(one.accounts_count for one in since)
    customers = f"of {cells.number_text(row.customers_done)} customers"
    waiting = row.parked_count + accounts
    return Figures(
        (
            Figure("State", words.state(row), f"for {cells.instant_text(row.as_of)}"),
            Figure(
                "Invoices",
                cells.number_text(row.invoices_count),
                f"will bill {cells.number_text(row.invoices_count - left)}, {cells.number_text(left)} parked since"
                if left
                else customers,
            ),
            Figure(
                "Flagged", cells.number_text(row.flagged_count), "to be looked at", _tone(row.flagged_count, Tone.WARN)
            ),
            Figure(
                "Failures", cells.number_text(row.failures_count), "not billed", _tone(row.failures_count, Tone.BAD)
            ),
            Figure(
                "Parked",
                cells.number_text(waiting),
                f"left out, {cells.number_text(accounts)} of them since" if accounts else "left out",
                _tone(waiting, Tone.WARN),
            ),
        )
    )


def facts(row: Rehearsal) -> Facts:
    """Who asked, who agreed, and when."""
    signed = (
        (
            Fact("Signed off by", "" if row.signed_off_by is None else _name(row)),
            Fact("Signed off", cells.instant(row.signed_off_at)),
            Fact("Remark", row.remark or cells.EMPTY),
        )
        if row.state in _REVIEWED
        else ()
    )
    return Facts(
        "Rehearsal",
        (
            Fact("Asked for by", row.requested_label),
            Fact("Asked for", cells.instant(row.created_at)),
            Fact("What for", row.reason or cells.EMPTY),
            Fact("Computed", cells.instant(row.finished_at)),
            Fact("Took", _took(row) or cells.EMPTY),
            *signed,
        ),
    )


def money_blocks(sums: Sequence[Sums], *, currency: str) -> Iterator[Block]:
    """What it comes to in one currency, the way there from last period, and the causes as a table.

    ``currency`` is the one asked for; what is none of the rehearsal's is the one with the most invoices.
    """
    if not sums:
        return
    chosen = next((one for one in sums if one.currency == currency), max(sums, key=lambda one: one.invoices_count))
    if len(sums) > 1:
        noun = "invoice" if chosen.invoices_count == 1 else "invoices"
        counted = f"{cells.number_text(chosen.invoices_count)} {noun} in {chosen.currency}"
        yield Head(counted, _switch(sums, chosen))
    yield _figures(chosen)
    yield Uneven((waterfall(chosen), causes(chosen)))


def waterfall(one: Sums) -> Chart:
    """From last period to this run, cause by cause: each bar begins where the one before it ended."""
    at = one.previous.amount
    labels, steps, tones = ["Before"], [(Decimal(0), at)], ["neutral"]
    for cause, amount in one.causes.items():
        labels.append(words.SHORT.get(cause, words.CAUSE[cause]))
        steps.append((at, at + amount.amount))
        tones.append("good" if amount.amount > 0 else "bad")
        at += amount.amount
    labels.append("Now")
    steps.append((Decimal(0), one.total.amount))
    tones.append("accent")
    return Chart(
        "From last period to this run",
        tuple(labels),
        (Series(one.currency, tuple(steps), "accent", tuple(tones)),),
        currency=one.currency,
        height=max(260, 110 + 42 * len(one.causes)),
        note="Totals with tax, after discounts and credits.",
    )


def causes(one: Sums) -> Table:
    """The same in figures, with what each cause means."""
    rows = [Row(("Last period", cells.money(one.previous)))]
    rows += [
        Row((cells.stack(words.CAUSE[cause], words.ABOUT[cause]), words.signed(amount)))
        for cause, amount in one.causes.items()
    ]
    rows.append(Row(("This run", cells.money(one.total)), is_total=True))
    return Table("By cause", columns("Cause", "Amount#"), tuple(rows))


def invoices(page: paging.Paged, *, title: str, empty: str, may_park: bool, action: object = "") -> Table:
    """Rehearsed invoices as rows that open to their lines beside those of last period."""
    return Table(
        title,
        columns("Customer", "Last period#", "This run#", "Difference#", "Causes", "What stands out"),
        tuple(_invoice(row, may_park=may_park) for row in page.rows),
        empty=empty,
        action=page.links or action,
        note=action if page.links else "",
    )


def flagged(rows: Sequence[RehearsedInvoice], *, note: str) -> Table:
    """Flagged invoices in short, for whoever agrees to them."""
    return Table(
        "Flagged invoices",
        columns("Customer", "This run#", "Difference#", "What stands out"),
        tuple(
            Row(
                (
                    cells.stack(cells.to(row, row.customer.display_name), _below(row)),
                    this_run(row),
                    words.signed(row.difference_amount),
                    words.flags(row.flags),
                )
            )
            for row in rows
        ),
        note=note,
    )


def failures(page: paging.Paged) -> Table:
    """Customers who could not be billed, and what to do about it."""
    return Table(
        "Failures",
        columns("Customer", "Reason", "Code"),
        tuple(
            Row((cells.to(row.customer, row.customer.display_name), row.error, cells.code(row.error_code)))
            for row in page.rows
        ),
        empty="Everybody who is due can be billed.",
        note="Set right what the reason names and rehearse again, or park the account with a reason."
        if page.rows
        else "",
        action=page.links,
    )


def parked(page: paging.Paged) -> Table:
    """Customers who were left out."""
    return Table(
        "Parked accounts",
        columns("Customer", "Why it waits"),
        tuple(Row((cells.to(row.customer, row.customer.display_name), row.error)) for row in page.rows),
        empty="Nobody is parked: the run bills everybody who is due.",
        action=page.links or cells.link("All parked accounts", reverse("admin:billing_parkedaccount_changelist")),
    )


def by_size(rows: QuerySet[RehearsedInvoice]) -> QuerySet[RehearsedInvoice]:
    """Put the largest difference first, whichever way it goes."""
    size = OrderBy(F("size"), descending=True, nulls_last=True)
    return outlook.with_parked_since(rows).annotate(size=Abs("difference_amount")).defer("inputs").order_by(size, "pk")


def narrowed(row: Rehearsal, **filters: str) -> str:
    """The address of the list of its invoices, with filters."""
    query = urlencode({"rehearsal": row.pk, **filters})
    return f"{reverse('admin:billing_rehearsedinvoice_changelist')}?{query}"


def _invoice(row: RehearsedInvoice, *, may_park: bool) -> Row:
    return Row(
        (
            cells.stack(cells.to(row, row.customer.display_name), _below(row)),
            words.amount(row.previous_amount),
            this_run(row),
            words.signed(row.difference_amount),
            words.causes(row.causes, row.currency),
            words.flags(row.flags),
        ),
        details=(rehearsal_lines.table(row, may_park=may_park),),
    )


def this_run(row: RehearsedInvoice) -> SafeString:
    """What the invoice comes to, or that there is none."""
    return cells.muted("no invoice") if row.error_code == known.NOTHING_TO_BILL else words.amount(row.total_amount)


def _below(row: RehearsedInvoice) -> SafeString | str:
    seller = "" if row.billing_entity is None else row.billing_entity.name
    day = "" if row.billing_date is None else cells.day_text(row.billing_date)
    text = " · ".join(part for part in (seller, day) if part)
    below = cells.nowrap(text) if text else row.customer.external_id
    return format_html("{} {}", below, mark) if (mark := rehearsal_outlook.mark(row)) else below


def _figures(one: Sums) -> Figures:
    return Figures(
        (
            Figure("This run", cells.money_text(one.total), f"{cells.money_text(one.due)} to be paid"),
            Figure("Last period", cells.money_text(one.previous)),
            Figure(
                "Difference",
                words.signed_text(one.difference),
                _share(one.difference, one.previous),
                _signed_tone(one.difference),
            ),
            Figure("Before tax", cells.money_text(one.subtotal), _above(one)),
            Figure("Agreed recurring", cells.money_text(one.expected), "fees, fixed charges, commitments; before tax"),
        )
    )


def _switch(sums: Sequence[Sums], chosen: Sums) -> SafeString:
    links = ((one.currency, "q-active" if one is chosen else "", one.currency) for one in sums)
    return format_html(
        '<nav class="q-switch" aria-label="Currency">{}</nav>',
        format_html_join("", '<a href="?currency={}" class="{}">{}</a>', links),
    )


def _share(difference: Money, previous: Money) -> str:
    if not previous.amount:
        return "nothing was billed before"
    rate = money.round_half_up(difference.amount / previous.amount, 3)
    return f"{'+' if rate > 0 else ''}{cells.percent_text(rate)} of last period"


def _above(one: Sums) -> str:
    tax = f"{cells.money_text(one.tax)} tax"
    return f"{tax}, {cells.money_text(one.credits)} credits" if one.credits.amount else tax


def _computing(row: Rehearsal, url: str, at: datetime) -> LiveProgress:
    is_waiting = row.state == State.WAITING
    pace = live_progress.pace(done=row.customers_done, total=row.customers_total, started=row.started_at, at=at)
    return LiveProgress(
        f"{row} is being computed",
        done=row.customers_done,
        total=row.customers_total,
        is_running=row.state in _GOING,
        is_waiting=is_waiting,
        url=url,
        pace="Waits for a worker." if is_waiting else pace,
        items=(
            Item("Clock", cells.instant(row.as_of)),
            Item("Invoices", cells.number_text(row.invoices_count), "invoices"),
            Item("Flagged", cells.number_text(row.flagged_count), "flagged"),
            Item("Failures", cells.number_text(row.failures_count), "failures"),
            Item("Parked", cells.number_text(row.parked_count), "parked"),
        ),
    )


def _billing(row: Rehearsal, url: str) -> LiveProgress:
    run = row.run
    return LiveProgress(
        f"{row} is being billed",
        done=0 if run is None else run.customers_done,
        total=0 if run is None else run.customers_total,
        is_running=True,
        is_waiting=run is None,
        url=url,
        pace="Waits for a worker." if run is None else "",
        items=(
            Item("Asked for by", row.bill_asked_label),
            Item("Invoices", cells.number_text(0 if run is None else run.invoices_count), "invoices"),
            Item("Refused or failed", cells.number_text(0 if run is None else run.failures_count), "failures"),
        ),
    )


def _name(row: Rehearsal) -> str:
    person = row.signed_off_by
    return "" if person is None else person.get_full_name() or person.get_username()


def _took(row: Rehearsal) -> str:
    return "" if row.started_at is None else shown.duration(row.started_at, row.finished_at)


def _tone(count: int, tone: Tone) -> Tone:
    return tone if count else Tone.NEUTRAL


def _signed_tone(difference: Money) -> Tone:
    if not difference.amount:
        return Tone.NEUTRAL
    return Tone.GOOD if difference.amount > 0 else Tone.BAD
