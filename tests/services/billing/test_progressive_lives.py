"""Random lives billed at thresholds, and the same lives without: in the end the customer paid the same.

RANDOM_LIVES in the environment says how many are tried beside those that are told here.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import example, given, settings
from hypothesis import strategies as st

from billing.domain.pauses import InvalidPause
from billing.domain.terms import InvalidTerms
from billing.models import RatedCharge, Subscription
from billing.services import (
    pauses,
    plan_changes,
    progressive_billing,
    runs,
    subscription_moves,
    subscription_plans,
    terminations,
)
from config.kernel import errors
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, LedgerEntry, LedgerPosting
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("RANDOM_LIVES", "2"))
BEGIN = instant("2026-01-20T09:30")
ZONES = ("UTC", "Asia/Tokyo", "America/New_York")
NAMES = ("plain", "prog")
_PRICES = {"small": 1700, "middle": 3100, "large": 9900}


@dataclass(frozen=True)
class Terms:
    """What a life begins with."""

    zone: str
    interval: str
    monthly: bool
    in_advance: bool
    billing_time: str
    grace: int
    minimum: int


@dataclass(frozen=True)
class Step:
    """A move of the clock, with jobs or without, and what is done then."""

    hours: int
    tidy: bool
    verb: str
    units: int
    choice: int


TERMS = st.builds(
    Terms,
    zone=st.sampled_from(ZONES),
    interval=st.sampled_from(("weekly", "monthly", "monthly", "quarterly", "yearly")),
    monthly=st.booleans(),
    in_advance=st.booleans(),
    billing_time=st.sampled_from(("calendar", "anniversary")),
    grace=st.sampled_from((0, 0, 3)),
    minimum=st.sampled_from((0, 20000)),
)
STEPS = st.builds(
    Step,
    hours=st.sampled_from((1, 14, 24, 60, 60, 120, 240, 700)),
    tidy=st.booleans(),
    verb=st.sampled_from(
        ("use", "use", "use", "use", "use", "back", "levels", "pause", "pause", "change", "end", "void", "zone")
    ),
    units=st.sampled_from((7, 60, 130, 130, 400)),
    choice=st.integers(0, 5),
)


def told(*steps: tuple[str, int]) -> list[Step]:
    """Return the steps of a life: a day apart, and the jobs run before each."""
    return [Step(hours=24, tidy=True, verb=verb, units=units, choice=0) for verb, units in steps]


UPGRADED = [
    *told(("use", 130), ("use", 130), ("pause", 1), ("pause", 1), ("levels", 400), ("use", 130)),
    Step(hours=1, tidy=True, verb="change", units=1, choice=2),
    *told(("use", 130), ("back", 60), ("use", 400)),
]
"""Billed at thresholds, paused and resumed, billed again; then a larger plan, and some of its usage taken back."""

DRAFTED = [
    *told(("use", 130), ("use", 400), ("back", 400)),
    Step(hours=240, tidy=True, verb="use", units=130, choice=0),
    Step(hours=1, tidy=False, verb="void", units=1, choice=0),
    *told(("use", 400), ("end", 1)),
]
"""Usage taken back after it was billed, a draft that is voided within its grace, and the end."""


class _Undo(Exception):
    """Ends a life, so that the next one begins on a clean sheet."""


@example(terms=Terms("UTC", "monthly", False, False, "calendar", 0, 20000), steps=UPGRADED)
@example(terms=Terms("Asia/Tokyo", "yearly", True, True, "anniversary", 0, 0), steps=UPGRADED)
@example(terms=Terms("America/New_York", "monthly", False, True, "calendar", 3, 20000), steps=DRAFTED)
@given(terms=TERMS, steps=st.lists(STEPS, min_size=6, max_size=12))
@settings(max_examples=EXAMPLES, deadline=None)
def test_thresholds_change_when_it_is_paid_and_not_what(terms: Terms, steps: list[Step]) -> None:
    try:
        with transaction.atomic():
            _live(terms, steps)
            raise _Undo
    except _Undo:
        assert not Subscription.objects.exists()


def _live(terms: Terms, steps: list[Step]) -> None:
    entity = parties.make_entity()
    gigabytes = goods.make_metric("gigabytes", "sum_agg")
    levels = goods.make_metric("levels", "sum_agg", recurring=True)
    for code, cents in _PRICES.items():
        goods.make_plan(
            code,
            cents=cents,
            interval=terms.interval,
            pay_in_advance=terms.in_advance,
            bill_charges_monthly=terms.monthly and terms.interval == "yearly",
            charges=[goods.standard(gigabytes, "1"), goods.standard(levels, "0.37")][: 1 if code == "large" else 2],
            usage_thresholds=[{"amount_cents": 5000}, {"amount_cents": 10000, "recurring": True}],
            **({"minimum_commitment": {"amount_cents": terms.minimum}} if terms.minimum else {}),
        )
    for name in NAMES:
        customer = parties.make_customer(entity, name, timezone=terms.zone, invoice_grace_period=terms.grace)
        version = goods.PlanVersion.objects.select_related("plan").get(plan__code="middle")
        made.make_subscription(
            customer,
            version,
            name,
            at=BEGIN,
            billing_time=terms.billing_time,
            progressive_billing_disabled=name == "plain",
        )
    at = BEGIN
    for step in steps:
        at += timedelta(hours=step.hours)
        if step.tidy:
            _jobs(at)
        for name in NAMES:
            _do(step, name, at)
    for _ in range(2):
        at += timedelta(days=380 if terms.interval == "yearly" else 100)
        _jobs(at)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    plain, prog = (_paid(name) for name in NAMES)
    assert plain == prog
    for entry in LedgerEntry.objects.annotate(total=Sum("postings__amount")):
        assert entry.total == 0


def _jobs(at: datetime) -> None:
    for job in (
        subscription_moves.resume_paused,
        subscription_moves.terminate_ended,
        subscription_moves.settle_plan_changes,
    ):
        moved = job(as_of=at)
        assert not moved.failed, moved.failed
    run = runs.run(as_of=at, trigger="test", actor=ACTOR)
    assert run.failures_count == 0, run.failures
    found = invoices.finalize_due(as_of=at)
    assert not found.failed, found.failed


def _do(step: Step, name: str, at: datetime) -> None:
    if step.verb in ("use", "back", "levels"):
        code = "levels" if step.verb == "levels" else "gigabytes"
        units = -step.units if step.verb == "back" or (step.verb == "levels" and step.choice > 3) else step.units
        made.send(name, code, at.replace(tzinfo=None).isoformat(), **{code: str(units)})
        return _look(name, at)
    customer = Customer.objects.get(external_id=name)
    if step.verb == "look":
        return _look(name, at)
    if step.verb == "zone":
        customer.timezone = ZONES[step.choice % 3]
        customer.save(update_fields=["timezone"])
        return None
    if step.verb == "void":
        draft = Invoice.objects.filter(customer=customer, status="draft").order_by("pk").first()
        if draft is not None:
            invoices.void_draft(invoice_id=draft.pk, reason="test", actor=ACTOR, at=at)
        return None
    living = Subscription.objects.filter(external_id=name, status__in=["active", "paused"]).first()
    if living is None or (living.started_at or at) > at:
        return None
    try:
        with transaction.atomic():
            _verb(step, living, at)
    except (errors.NotAllowed, InvalidPause, InvalidTerms):
        return None
    return None


def _look(name: str, at: datetime) -> None:
    customer = Customer.objects.get(external_id=name)
    progressive_billing.bill(customer_id=customer.pk, external_id=name, as_of=at + timedelta(seconds=1))


def _verb(step: Step, living: Subscription, at: datetime) -> None:
    if step.verb == "pause" and living.status == "paused":
        pauses.resume(subscription_id=living.pk, actor=ACTOR, at=at)
    elif step.verb == "pause":
        pauses.pause(subscription_id=living.pk, fee=("prorated", "whole")[step.choice % 2], actor=ACTOR, at=at)
    elif step.verb == "change":
        subscription_plans.change_plan(
            subscription_id=living.pk,
            plan_code=tuple(_PRICES)[step.choice % 3],
            seen=plan_changes.state_of(living),
            change_at=None,
            actor=ACTOR,
            at=at,
        )
    elif step.verb == "end" and step.choice == 0:
        terminations.terminate(subscription_id=living.pk, actor=ACTOR, at=at)


def _paid(name: str) -> tuple[Counter[Any], Decimal, Decimal]:
    rated = RatedCharge.objects.filter(
        subscription__external_id=name, released_at=None, is_progressive=False
    ).select_related("line")
    lines: Counter[Any] = Counter()
    for row in rated:
        lines[row.line.kind, row.line.item_code, row.from_at, row.to_at, row.line.amount.amount] += 1
    net = sum(
        (one.net_amount.amount for one in Invoice.objects.filter(customer__external_id=name).exclude(status="voided")),
        Decimal(0),
    )
    notes = CreditNote.objects.filter(customer__external_id=name, status="finalized")
    net -= sum((one.sub_total_amount.amount for one in notes), Decimal(0))
    issued = LedgerPosting.objects.filter(account__role="revenue", entry__customer__external_id=name)
    earned = -sum((one.amount.amount for one in issued), Decimal(0))
    return lines, net, earned
