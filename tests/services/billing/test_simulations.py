"""Simulations against real bills: what was billed is what is simulated, on any plan, and nothing is written by it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.domain import simulation_usage
from billing.domain.simulation import Frame
from billing.domain.simulation_comparison import Outcome
from billing.models import Subscription
from billing.queries.simulation_contracts import Subject
from billing.services import (
    billing_days,
    simulation_offers,
    simulation_reports,
    simulations,
    terminations,
    trials,
)
from billing.services.simulations import NothingSupposed, TooMuch, Wanted
from catalog.models import Plan, PlanVersion
from catalog.services import plans
from config.kernel import dates, errors
from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.factories import catalog, usage
from tests.factories.billing import instant, make_subscription, send
from tests.factories.company import make_company
from tests.factories.customers import make_customer
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

SPRING = Frame(date(2026, 2, 1), date(2026, 5, 1))
NOW = instant("2026-05-02T09:00")


def bill(customer: Customer, at: datetime) -> None:
    """Bill all that is due of a customer, days that have passed included."""
    billing_days.bill_customers(customer_ids=[customer.pk], as_of=at, catch_up=True, actor=ACTOR)


def billed(frame: Frame, zone: str) -> list[tuple[str, str, Decimal]]:
    """Return the lines of real invoices whose time starts in a frame: subscription, local first day, amount."""
    tz = dates.zone(zone)
    rows = [(row, dates.local_date(row.from_at, tz)) for row in InvoiceLine.objects.all()]
    return sorted(
        (row.group_key, day.isoformat(), row.amount.amount.normalize())
        for row, day in rows
        if frame.first <= day < frame.end
    )


def simulated(outcomes: list[Outcome]) -> list[tuple[str, str, Decimal]]:
    """Return the lines of a simulation in the same form."""
    return sorted(
        (one.subscription, period.first_day.isoformat(), line.amount.amount.normalize())
        for one in outcomes
        for period in one.own.periods
        for line in period.lines
    )


def play(subject: Subject, frame: Frame = SPRING, **values: Any) -> list[Outcome]:
    """Play the contracts of somebody."""
    return list(simulations.play(wanted=Wanted(frame=frame, subject=subject, **values)))


@pytest.fixture
def metered() -> dict[str, PlanVersion]:
    """Two plans on requests, the other one dearer by the unit and without a price for storage."""
    requests = catalog.make_metric("requests", at=instant("2026-01-01"))
    storage = catalog.make_metric("storage", "sum_agg", at=instant("2026-01-01"))
    return {
        "a": catalog.make_plan(
            "a", cents=2000, charges=[catalog.standard(requests, "0.10"), catalog.standard(storage, "0.5")]
        ),
        "b": catalog.make_plan("b", cents=500, charges=[catalog.standard(requests, "0.30")]),
    }


def test_two_plans_on_the_same_usage(metered: dict[str, PlanVersion]) -> None:
    make_subscription(make_customer(), metered["a"], at=instant("2026-02-01"))
    send("sub", "requests", *["2026-02-10"] * 30, *["2026-03-10"] * 100)
    send("sub", "storage", "2026-03-12", storage="4")

    [found] = play(Subject(subscription="sub"), other=simulation_offers.stored(code="b"))

    # February: 20 + 30 × 0.10, March: 20 + 100 × 0.10 + 4 × 0.5, April: 20
    assert [period.total for period in found.own.periods] == [Decimal(23), Decimal(32), Decimal(20)]
    assert found.other is not None
    # February: 5 + 30 × 0.30, March: 5 + 100 × 0.30, April: 5
    assert [period.total for period in found.other.periods] == [Decimal(14), Decimal(35), Decimal(5)]
    assert found.difference == Decimal(-21)
    assert found.missing == (("storage", Decimal(2)),)
    assert found.added == ()


def test_the_past_comes_to_what_was_billed() -> None:
    """The sample company: graduated and package prices with filters, two currencies and time zones."""
    at = datetime(2026, 5, 20, 10, 30, tzinfo=UTC)
    made = make_company(at=at, months=3, customers_count=5, events_a_day=2)
    found = [outcome for code in ("growth_eur", "growth_usd") for outcome in play(Subject(plan=code))]

    totals = {
        one.customer: sum(
            row.amount.amount for row in InvoiceLine.objects.filter(invoice__customer__external_id=one.customer)
        )
        for one in found
    }
    assert {one.customer: one.own.total for one in found} == totals
    assert len(found) == len(made.customers) == 5
    assert all(totals.values())


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    interval=st.sampled_from(["weekly", "monthly", "quarterly"]),
    in_advance=st.booleans(),
    billing_time=st.sampled_from(["calendar", "anniversary"]),
    start=st.integers(0, 45),
    lasts=st.none() | st.integers(1, 80),
    trial=st.sampled_from([0, 10]),
    hours=st.lists(st.integers(0, 100 * 24), max_size=12),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles"]),
)
def test_any_contract_of_the_past_comes_to_what_was_billed(
    interval: str,
    in_advance: bool,
    billing_time: str,
    start: int,
    lasts: int | None,
    trial: int,
    hours: list[int],
    zone: str,
) -> None:
    """Intervals, advance and arrears, trials, ends and time zones: each line of each invoice, and nothing else."""
    began = instant("2026-01-20T08:00") + timedelta(days=start)
    with transaction.atomic():
        requests = catalog.make_metric("requests", at=began)
        version = catalog.make_plan(
            "a",
            cents=3100,
            interval=interval,
            pay_in_advance=in_advance,
            trial_period=Decimal(trial),
            charges=[catalog.standard(requests, "0.07", min_amount_cents=100)],
        )
        customer = make_customer(timezone=zone)
        contract = make_subscription(customer, version, at=began, billing_time=billing_time)
        moments = [(began + timedelta(hours=hour)).replace(tzinfo=None).isoformat() for hour in hours]
        send("sub", "requests", *moments)
        end = None if lasts is None else began + timedelta(days=lasts)
        trial_ends_at = began + timedelta(days=trial)
        if trial and (end is None or trial_ends_at < end):
            trials.end(subscription_id=contract.pk, actor=ACTOR, at=trial_ends_at)
        if end is not None:
            bill(customer, end - timedelta(hours=1))
            terminations.terminate(subscription_id=contract.pk, actor=ACTOR, at=end, on_termination_credit_note="skip")
        bill(customer, began + timedelta(days=230))
        frame = Frame(began.date().replace(day=1), began.date() + timedelta(days=90))

        assert simulated(play(Subject(subscription="sub"), frame)) == billed(frame, zone)
        transaction.set_rollback(True)


def test_nothing_is_written(metered: dict[str, PlanVersion]) -> None:
    make_subscription(make_customer(), metered["a"], at=instant("2026-02-01"))
    send("sub", "requests", "2026-02-10")
    before = rows()

    report = simulation_reports.make(
        wanted=Wanted(
            frame=SPRING,
            subject=Subject(plan="a"),
            other=simulation_offers.draft(content=draft(), at=NOW),
        ),
        today=NOW.date(),
    )

    assert report.contracts == 1
    assert rows() == before


def test_the_database_keeps_a_simulation_from_writing(metered: dict[str, PlanVersion]) -> None:
    with pytest.raises(DatabaseError, match="read-only"), transaction.atomic(), simulations.reading():
        Plan.objects.update(name="changed")
    Plan.objects.update(name="changed")  # and only the simulation


def test_queries_do_not_grow_with_contracts(metered: dict[str, PlanVersion]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            play(Subject(plan="a"), other=simulation_offers.stored(code="b"))
        return len(captured)

    make_subscription(make_customer("one"), metered["a"], "one", at=instant("2026-02-01"))
    few = queries()
    for number in range(5):
        make_subscription(make_customer(f"c{number}"), metered["a"], f"s{number}", at=instant("2026-02-01"))
    assert queries() == few


def rows() -> dict[str, int]:
    """Return how many rows there are of all that a simulation could be taken to write."""
    found = {model.__name__: model.objects.count() for model in (Plan, PlanVersion, Subscription, AuditEntry)}
    return {**found, "lines": InvoiceLine.objects.count(), "events": usage.stored()}


def draft(**changed: Any) -> dict[str, Any]:
    """Return the draft of a plan, as a file has it."""
    return {
        "name": "Next year",
        "interval": "monthly",
        "amount_cents": 1000,
        "amount_currency": "EUR",
        "charges": [{"billable_metric_code": "requests", "charge_model": "standard", "properties": {"amount": "0.2"}}],
        **changed,
    }


def test_a_draft_is_compared(metered: dict[str, PlanVersion]) -> None:
    make_subscription(make_customer(), metered["a"], at=instant("2026-02-01"))
    send("sub", "requests", *["2026-02-10"] * 30)
    offer = simulation_offers.draft(content={"plan": draft(code="a")}, at=NOW)

    [found] = play(Subject(customer="acme"), other=offer)

    assert offer.label == "Next year (draft)"
    assert found.other is not None
    assert found.other.total == Decimal(36)  # 3 × 10 + 30 × 0.2


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"intervall": "monthly"}, "invalid_draft"),
        ({"amount_cents": -1}, "invalid_draft"),
        ({"amount_cents": "many"}, "invalid_draft"),
        ({"trial_period": "NaN"}, "invalid_draft"),
        ({"name": "a\x00b"}, "invalid_draft"),
        ({"interval": "daily"}, "validation_errors"),
        ({"amount_currency": "XXX"}, "validation_errors"),
        ({"charges": [{"billable_metric_code": "gone", "charge_model": "standard"}]}, "billable_metric_not_found"),
        ({"charges": [{"billable_metric_code": "requests", "charge_model": "magic"}]}, "validation_errors"),
    ],
)
def test_drafts_that_are_refused(metered: dict[str, PlanVersion], changed: dict[str, Any], code: str) -> None:
    with pytest.raises(errors.DomainError) as refused:
        simulation_offers.draft(content=draft(**changed), at=NOW)
    assert refused.value.code == code
    assert Plan.objects.count() == 2


def test_a_version_that_is_not_the_current_one(metered: dict[str, PlanVersion]) -> None:
    plans.update(code="b", values={"amount_cents": 900}, actor=ACTOR, at=NOW)
    assert simulation_offers.named(reference="b").prices.amount.amount == Decimal(9)
    assert simulation_offers.named(reference="b@1").prices.amount.amount == Decimal(5)
    for reference in ("b@9", "c", "b@", "@1"):
        with pytest.raises(errors.NotFound):
            simulation_offers.named(reference=reference)


def test_a_plan_alone_on_supposed_usage(metered: dict[str, PlanVersion]) -> None:
    wanted = Wanted(
        frame=SPRING,
        alone=simulation_offers.stored(code="a"),
        other=simulation_offers.stored(code="b"),
        supposed=simulation_usage.parse("requests=100,growth=10%;storage=8"),
    )
    [found] = list(simulations.play(wanted=wanted))
    # 20 + 0.10 × (100, 110, 121) + 8 × 0.5; 5 + 0.30 × (100, 110, 121)
    assert [period.total for period in found.own.periods] == [Decimal(34), Decimal(35), Decimal("36.10")]
    assert found.other is not None
    assert [period.total for period in found.other.periods] == [Decimal(35), Decimal(38), Decimal("41.30")]


def test_supposed_usage_takes_the_place_of_stored_usage(metered: dict[str, PlanVersion]) -> None:
    make_subscription(make_customer(), metered["a"], at=instant("2026-02-01"))
    send("sub", "requests", *["2026-02-10"] * 30)
    [found] = play(Subject(subscription="sub"), supposed=simulation_usage.parse("requests=10"))
    assert found.own.total == Decimal(63)  # 3 × (20 + 10 × 0.10)


def test_usage_paid_in_advance_is_rated_by_period(metered: dict[str, PlanVersion]) -> None:
    requests = catalog.make_metric("calls", at=instant("2026-01-01"))
    catalog.make_plan("now", cents=0, charges=[catalog.standard(requests, "0.25", pay_in_advance=True)])
    wanted = Wanted(
        frame=SPRING, alone=simulation_offers.stored(code="now"), supposed=simulation_usage.parse("calls=10")
    )
    [found] = list(simulations.play(wanted=wanted))
    assert found.own.total == Decimal("7.5")  # 3 × 10 × 0.25


def test_fixed_charges_are_played(metered: dict[str, PlanVersion]) -> None:
    catalog.make_add_on("seat")
    fixed = [
        {"add_on_code": "seat", "charge_model": "standard", "units": "3", "properties": {"amount": "4"}, **when}
        for when in ({"code": "now", "pay_in_advance": True}, {"code": "then"})
    ]
    offer = simulation_offers.draft(content=draft(charges=[], fixed_charges=fixed), at=NOW)
    make_subscription(make_customer(), metered["a"], at=instant("2026-02-01"))
    [found] = play(Subject(plan="a"), other=offer)
    assert found.other is not None
    # 10 + 2 × 3 × 4, each month
    assert [period.total for period in found.other.periods] == [Decimal(34)] * 3


def test_another_currency_is_left_out(metered: dict[str, PlanVersion]) -> None:
    catalog.make_plan("usd", currency="USD")
    make_subscription(make_customer(), metered["a"], at=instant("2026-02-01"))
    wanted = Wanted(frame=SPRING, subject=Subject(plan="a"), other=simulation_offers.stored(code="usd"))
    report = simulation_reports.make(wanted=wanted, today=NOW.date())
    assert report.summaries["EUR"].contracts == 0
    assert report.remarks == ["1 contract is left out: own plan in EUR, other plan in USD."]


def test_what_cannot_be_asked_for(metered: dict[str, PlanVersion]) -> None:
    with pytest.raises(NothingSupposed):
        Wanted(frame=SPRING, alone=simulation_offers.stored(code="a"))
    for subject in ({}, {"plan": "a", "customer": "acme"}):
        with pytest.raises(errors.Invalid):
            Subject(**subject)
    for subject in (Subject(plan="gone"), Subject(customer="gone"), Subject(subscription="gone")):
        with pytest.raises(errors.NotFound):
            play(subject)
    supposed = simulation_usage.parse("gone=1")
    with pytest.raises(errors.NotFound):
        simulation_reports.make(
            wanted=Wanted(frame=SPRING, subject=Subject(plan="a"), supposed=supposed), today=NOW.date()
        )


def test_what_takes_too_long_for_a_page(metered: dict[str, PlanVersion], monkeypatch: pytest.MonkeyPatch) -> None:
    make_subscription(make_customer(), metered["a"], at=instant("2026-02-01"))
    wanted = Wanted(frame=SPRING, subject=Subject(plan="a"))
    simulations.demand_quick(wanted=wanted)
    monkeypatch.setattr(simulations, "MAX_WINDOWS", 2)
    with pytest.raises(TooMuch):
        simulations.demand_quick(wanted=wanted)


def test_progress_and_every_page(metered: dict[str, PlanVersion], monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        make_subscription(make_customer(f"c{number}"), metered["a"], f"s{number}", at=instant("2026-02-01"))
    monkeypatch.setattr(simulations, "CHUNK", 6)  # two contracts over three months
    told: list[tuple[int, int]] = []
    wanted = Wanted(frame=SPRING, subject=Subject(plan="a"))
    found = list(simulations.play(wanted=wanted, progress=lambda done, total: told.append((done, total))))
    assert [one.subscription for one in found] == [f"s{number}" for number in range(5)]
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
