"""Random lives of subscriptions: begun, changed, paused, resumed and ended at any time, in any zone and interval. Each
day of the plan fee is billed once or credited, usage once, and no money is lost; days are reckoned by `plain.lives`.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import chosen_times, identity
from billing.domain.pauses import InvalidPause
from billing.domain.terms import InvalidTerms
from billing.models import BilledPeriod, RatedCharge, Subscription
from billing.services import pauses, plan_changes, runs, subscription_moves, subscription_plans, terminations
from config.kernel import errors
from invoicing.models import CreditNoteItem, Invoice, InvoiceLine, LedgerEntry
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import usage
from tests.factories.billing import instant
from tests.factories.platform import ACTOR
from tests.plain import lives, periods
from tests.plain.lives import Chain, Stay

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("RANDOM_LIVES", "20"))
CENT = Decimal("0.01")
BEGIN = instant("2026-01-20T09:30")
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin")
INTERVALS = ("weekly", "monthly", "monthly", "quarterly")


@dataclass(frozen=True)
class Terms:
    """What a life begins with; ``starts`` in days from now on."""

    intervals: tuple[str, str]
    in_advance: tuple[bool, bool]
    billing_time: str
    starts: int
    backdated: str


@dataclass(frozen=True)
class Step:
    """A move of the clock, with jobs or without, and what is done then."""

    hours: int
    tidy: bool
    verb: str
    subscription: int
    choice: int
    days: int


@dataclass
class Story:
    """What happened beside what the rows tell."""

    untidy: set[int] = field(default_factory=set)
    events: list[tuple[str, datetime]] = field(default_factory=list)


TERMS = st.builds(
    Terms,
    intervals=st.tuples(st.sampled_from(INTERVALS), st.sampled_from(INTERVALS)),
    in_advance=st.tuples(st.booleans(), st.booleans()),
    billing_time=st.sampled_from(("calendar", "anniversary")),
    starts=st.sampled_from((0, 0, 0, 5, -12, -45)),
    backdated=st.sampled_from(("skip", "bill")),
)
STEPS = st.builds(
    Step,
    # Days, so that midnight and the same day happen too.
    hours=st.one_of(st.integers(0, 30), st.integers(0, 12).map(lambda days: 24 * days), st.integers(0, 900)),
    tidy=st.booleans(),
    verb=st.sampled_from(("pause", "pause", "pause", "pause", "change", "change_at", "end", "event", "wait")),
    subscription=st.integers(0, 1),
    choice=st.integers(0, 5),
    days=st.integers(1, 50),
)


class _Undo(Exception):
    """Ends a life, so that the next one begins on a clean sheet."""


@given(
    zone=st.sampled_from(ZONES),
    terms=st.lists(TERMS, min_size=1, max_size=2),
    steps=st.lists(STEPS, min_size=2, max_size=7),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_day_is_billed_once_or_credited(zone: str, terms: list[Terms], steps: list[Step]) -> None:
    try:
        with transaction.atomic():
            _live(zone, terms, steps)
            raise _Undo
    except _Undo:
        assert not Subscription.objects.exists()


def _live(zone: str, terms: list[Terms], steps: list[Step]) -> None:
    tax = parties.make_tax()
    customer = parties.make_customer(parties.make_entity(taxes=[tax]), timezone=zone)
    metric = goods.make_metric()
    story, at = Story(), BEGIN
    for number, one in enumerate(terms):
        for size, cents in ((0, 1700), (1, 5900)):
            goods.make_plan(
                f"{number}-{size}",
                cents=cents,
                interval=one.intervals[size],
                pay_in_advance=one.in_advance[size],
                charges=[goods.standard(metric, "1.01")],
            )
        start = None if one.starts == 0 else at + timedelta(days=one.starts)
        _order(customer, number, 0, at, one, start)
    for step in steps:
        at += timedelta(hours=step.hours)
        if step.tidy:
            _jobs(at)
        _do(step, at, story, terms)
    at += timedelta(days=50)
    _jobs(at)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for number, one in enumerate(terms):
        _check_fees(zone, _name(number), one, story, at)
        _check_usage(_name(number), story)
    _check_money()


def _order(customer: Any, number: int, size: int, at: datetime, one: Terms, start: datetime | None = None) -> None:
    made.make_subscription(
        customer,
        _plan(number, size),
        _name(number),
        at=at,
        billing_time=one.billing_time,
        subscription_at=start,
        backdated_billing=one.backdated,
    )


def _plan(number: int, size: int) -> Any:
    return goods.PlanVersion.objects.select_related("plan").get(plan__code=f"{number}-{size}")


def _name(number: int) -> str:
    return f"sub-{number}"


def _jobs(at: datetime) -> None:
    for job in (
        subscription_moves.activate_pending,
        subscription_moves.resume_paused,
        subscription_moves.terminate_ended,
        subscription_moves.settle_plan_changes,
    ):
        moved = job(as_of=at)
        assert not moved.failed, moved.failed
    run = runs.run(as_of=at, trigger="test", actor=ACTOR)
    assert run.failures_count == 0, run.failures


def _do(step: Step, at: datetime, story: Story, terms: list[Terms]) -> None:
    name = _name(step.subscription % len(terms))
    living = Subscription.objects.filter(external_id=name, status__in=["active", "paused"]).first()
    if step.verb == "event":
        story.events.append((name, at))
        usage.store(usage.make_event(at.replace(tzinfo=None).isoformat(), external_subscription_id=name))
        return
    if living is None or (living.started_at or at) > at:
        return
    if not step.tidy:
        story.untidy.add(living.pk)
    try:
        with transaction.atomic():
            _verb(step, living, at)
    except (errors.NotAllowed, InvalidPause, InvalidTerms):
        return  # a state or a day that cannot be: nothing was done


def _verb(step: Step, living: Subscription, at: datetime) -> None:
    day = periods.day_of(at, living.customer.timezone) + timedelta(days=step.days)
    fee = ("prorated", "whole")[step.choice % 2]
    if step.verb == "pause" and living.status == "paused":
        pauses.resume(subscription_id=living.pk, actor=ACTOR, at=at)
    elif step.verb == "pause":
        resume_on = day if step.choice > 3 else None
        pauses.pause(subscription_id=living.pk, fee=fee, resume_on=resume_on, actor=ACTOR, at=at)
    elif step.verb in ("change", "change_at"):
        when = (None, chosen_times.NOW, chosen_times.PERIOD_END, chosen_times.on(day))[step.choice % 4]
        subscription_plans.change_plan(
            subscription_id=living.pk,
            plan_code=f"{living.external_id.removeprefix('sub-')}-{step.days % 2}",
            seen=plan_changes.state_of(living),
            change_at=when if step.verb == "change_at" else None,
            actor=ACTOR,
            at=at,
        )
    elif step.verb == "end":
        terminations.terminate(
            subscription_id=living.pk,
            on_termination_invoice=("generate", "generate", "skip")[step.choice % 3],
            on_termination_credit_note=("credit", "skip", "offset")[step.choice % 3]
            if living.plan_version.pay_in_advance
            else None,
            actor=ACTOR,
            at=at,
        )


def _check_fees(zone: str, name: str, one: Terms, story: Story, horizon: datetime) -> None:
    """Net of credits each day that costs a fee costs it once, and all days together their price."""
    rows = list(Subscription.objects.filter(external_id=name, started_at__isnull=False).order_by("started_at", "pk"))
    if not rows:
        return
    chain = Chain(
        zone=zone,
        anchor=periods.day_of(rows[0].subscription_at, zone),
        billing_time=one.billing_time,
        stays=tuple(_stay(row, zone, story) for row in rows),
    )
    expected, doubt = lives.reckon(chain, periods.day_of(horizon, zone))
    found: Counter[date] = Counter()
    lines = InvoiceLine.objects.filter(
        rated_charge__subscription__in=rows, rated_charge__item_key=identity.item_key(), rated_charge__released_at=None
    ).select_related("rated_charge__period", "rated_charge__subscription__plan_version")
    total, documents = Decimal(0), 0
    for line in lines:
        period = line.rated_charge.period
        first = periods.day_of(period.from_at, zone)
        found.update(first + timedelta(days=number) for number in range(period.days))
        items = CreditNoteItem.objects.filter(line=line)
        given = sum((item.amount.amount for item in items), Decimal(0))
        price = line.rated_charge.subscription.plan_version.amount.amount / period.of_days
        back = int((given / price).to_integral_value())
        found.subtract(first + timedelta(days=period.days - 1 - number) for number in range(back))
        total += line.amount.amount - given
        documents += 1 + items.count()
    days = {day for day, count in found.items() if count}
    assert all(count in (0, 1) for count in found.values()), found
    assert days - doubt == expected.keys() - doubt, (sorted(days ^ expected.keys()), chain)
    price = sum((amount for day, amount in expected.items() if day in days), Decimal(0))
    # Half a cent for each line and each credit note item.
    assert abs(total - price) <= CENT / 2 * documents, (total, price, chain)


def _stay(row: Subscription, zone: str, story: Story) -> Stay:
    ended_by = ""
    if row.status == "terminated":
        ended_by = row.pause_fee if row.ended_by == "pause" else row.ended_by or "end"
    came_from = Subscription.objects.filter(pk=row.previous_id, ended_by="pause").first()
    is_first = row.previous_id is None
    return Stay(
        price=row.plan_version.amount.amount,
        interval=row.plan_version.interval,
        in_advance=row.plan_version.pay_in_advance,
        started_at=row.started_at,
        ended_at=row.terminated_at,
        ended_by=ended_by,
        paused="" if came_from is None else came_from.pause_fee,
        bills_end=row.on_termination_invoice == "generate",
        gives_back=row.on_termination_credit_note != "skip",
        made_on=periods.day_of(row.created_at, zone) if is_first and row.backdated_billing == "skip" else None,
        tidy=row.pk not in story.untidy,
    )


def _check_usage(name: str, story: Story) -> None:
    """The time of usage is covered without a gap and without an overlap, and what came in it is billed once."""
    events = [at for subscription, at in story.events if subscription == name]
    counted = 0
    for row in Subscription.objects.filter(external_id=name, started_at__isnull=False):
        periods_of_row = BilledPeriod.objects.filter(subscription=row, released_at=None).order_by("charges_from_at")
        spans = [
            (one.charges_from_at, one.charges_to_at)
            for one in periods_of_row
            if one.charges_from_at < one.charges_to_at
        ]
        for (_, end), (start, _) in itertools.pairwise(spans):
            assert end == start, (row, spans)
        if spans:
            assert spans[0][0] == (row.usage_from_at or row.started_at), (row, spans)
        bills_end = row.ended_by or row.on_termination_invoice == "generate"
        if row.status == "terminated" and bills_end and row.terminated_at > (row.usage_from_at or row.started_at):
            assert spans, row
            assert spans[-1][1] == row.terminated_at, (row, spans)
        counted += sum(1 for at in events for start, end in spans if start <= at < end)
    rated = RatedCharge.objects.filter(subscription__external_id=name, charge__isnull=False, released_at=None)
    units = rated.aggregate(units=Sum("line__units"))["units"] or 0
    assert units == counted, (events, units, counted)
    for key in set(rated.values_list("item_key", flat=True)):
        times = sorted(rated.filter(item_key=key).values_list("from_at", "to_at"))
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(times)), times


def _check_money() -> None:
    """Documents add up, and every booking balances."""
    for invoice in Invoice.objects.exclude(status="voided").prefetch_related("lines"):
        net = sum((line.amount.amount for line in invoice.lines.all()), Decimal(0))
        assert invoice.fees_amount.amount == net
        gross = net + invoice.taxes_amount.amount - invoice.credit_notes_amount.amount
        assert invoice.total_amount.amount == gross, invoice
    for entry in LedgerEntry.objects.annotate(total=Sum("postings__amount")):
        assert entry.total == 0


def test_the_database_refuses_a_time_that_was_rated() -> None:
    customer = parties.make_customer(parties.make_entity())
    plan = goods.make_plan("plan", cents=3100, charges=[goods.standard(goods.make_metric(), "1")])
    subscription = made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-05")
    pauses.pause(subscription_id=subscription.pk, fee="prorated", actor=ACTOR, at=instant("2026-01-10"))
    rated = RatedCharge.objects.get(charge__isnull=False)
    other = parties.draft(customer, "1.00").lines[0]
    own = {"id", "uuid", "line_id", "from_at", "to_at"}
    kept = ", ".join(f'"{one.column}"' for one in RatedCharge._meta.concrete_fields if one.column not in own)
    insert = f"""
        INSERT INTO billing_ratedcharge (uuid, line_id, from_at, to_at, {kept})
        SELECT gen_random_uuid(), %s, %s, %s, {kept} FROM billing_ratedcharge WHERE id = %s
    """

    def rate_again(start: str, end: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(insert, [other.pk, instant(start), instant(end), rated.pk])

    with pytest.raises(IntegrityError, match="billing_rated_once"):
        rate_again("2026-01-09T23:59", "2026-01-12")

    assert RatedCharge.objects.filter(charge__isnull=False).count() == 1
    rate_again("2026-01-10", "2026-01-12")  # what only touches it is another time
    assert RatedCharge.objects.filter(charge__isnull=False).count() == 2
