"""Billing usage in advance, event by event: fees, invoices, levels, corrections, and what a broken price stops."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from billing.domain import verification
from billing.domain.event_corrections import Action, CorrectionIn
from billing.models import AdvanceEvent, AdvanceLevel, BilledPeriod, RatedCharge
from billing.queries import advance_events as known_events
from billing.queries import current_usage
from billing.services import advance_events, event_corrections, runs
from billing.services import usage as ingestion
from catalog.models import Charge
from invoicing.models import Invoice, InvoiceLine
from tests.factories import advance, billing, catalog, customers, usage
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


def send(moment: str, transaction_id: str, code: str = "seats", **properties: object) -> None:
    usage.store(usage.make_event(moment, code=code, transaction_id=transaction_id, properties=properties))


def test_each_event_is_a_fee_of_what_it_adds() -> None:
    metric = catalog.make_metric("seats", "sum_agg")
    subscription = advance.make_subscription(advance.make_plan(metric))
    for number, units in enumerate((10, -5, 2, 5)):
        send("2026-05-04T12:00:00", f"t{number}", seats=units)
    assert advance.bill("2026-05-04T13:00") == 4
    # Only 10, and then the 2 above it: 30 and 6.
    assert advance.fees() == [("10", "30", True), ("0", "0", True), ("0", "0", True), ("2", "6", True)]
    assert advance.bill("2026-05-04T14:00") == 0  # the queue is empty
    rows = RatedCharge.objects.filter(subscription=subscription).select_related("line").order_by("pk")
    for row in rows:
        found = verification.verify(trace=row.trace, sha256=row.trace_sha256, amount=row.line.amount.amount)
        assert found.is_right, found.problem
    assert [row.event_transaction_id for row in rows] == ["t0", "t1", "t2", "t3"]
    assert rows[0].from_at == billing.instant("2026-05-01")
    assert rows[0].to_at == billing.instant("2026-06-01")
    assert not Invoice.objects.exists()


def test_what_only_looks_like_a_number_is_none_here_either() -> None:
    advance.make_subscription(advance.make_plan(catalog.make_metric("seats", "sum_agg")))
    for number, units in enumerate(("5\n", "1e3", " 5", "٥")):
        send("2026-05-04T12:00:00", f"t{number}", seats=units)
    advance.bill("2026-05-04T13:00")
    assert advance.fees() == []


def test_an_invoiceable_event_is_an_invoice_at_once_whatever_the_grace() -> None:
    metric = catalog.make_metric("requests")
    version = advance.make_plan(metric, invoiceable=True)
    customer = customers.make_customer(invoice_grace_period=5)
    billing.make_subscription(customer, version, at=billing.instant("2026-05-01"))
    billing.send("sub", "requests", "2026-05-04T12:00:00", "2026-05-04T12:00:00")
    assert advance.bill("2026-05-04T13:00") == 2
    invoices = list(Invoice.objects.order_by("pk"))
    assert [(row.status, row.kind, str(row.issuing_date)) for row in invoices] == [
        ("finalized", "subscription", "2026-05-04")
    ] * 2
    periods = BilledPeriod.objects.filter(invoice__in=invoices)
    assert {(row.reason, row.bills_fee) for row in periods} == {("in_advance_charge", False)}
    assert advance.balances() == {"receivable": "6", "revenue": "-6"}


def test_usage_in_advance_is_not_billed_again_at_the_end_of_the_period() -> None:
    metric = catalog.make_metric("requests")
    version = advance.make_plan(metric, cents=1000, invoiceable=True)
    subscription = advance.make_subscription(version)
    billing.send("sub", "requests", "2026-05-04T12:00:00")
    advance.bill("2026-05-04T13:00")
    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    last = Invoice.objects.order_by("-pk")[0]
    assert [line.kind for line in last.lines.all()] == ["subscription"]
    assert InvoiceLine.objects.filter(kind="charge").count() == 1
    assert subscription.billed_periods.count() == 2


def test_events_of_other_codes_and_repeats_are_not_queued() -> None:
    metric = catalog.make_metric("seats", "sum_agg")
    catalog.make_metric("requests")
    advance.make_subscription(advance.make_plan(metric))
    billing.send("sub", "requests", "2026-05-04T12:00:00")
    assert not AdvanceEvent.objects.exists()
    event = usage.make_event("2026-05-04T12:00:00", code="seats", properties={"seats": 1})
    usage.store(event)
    with pytest.raises(ingestion.EventsAlreadyExist):
        usage.store(event)
    assert AdvanceEvent.objects.count() == 1


def test_an_event_without_the_property_makes_no_fee() -> None:
    advance.make_subscription(advance.make_plan(catalog.make_metric("seats", "sum_agg")))
    send("2026-05-04T12:00:00", "t1")
    send("2026-05-04T12:00:00", "t2", seats="many")
    assert advance.bill("2026-05-04T13:00") == 0
    assert not AdvanceEvent.objects.exists()


def test_an_event_waits_for_its_subscription() -> None:
    version = advance.make_plan(catalog.make_metric("seats", "sum_agg"))
    send("2026-05-04T12:00:00", "t1", seats=2)
    assert advance.bill("2026-05-04T13:00") == 0
    assert AdvanceEvent.objects.get().problem == known_events.NO_SUBSCRIPTION
    advance.make_subscription(version, at="2026-05-05", subscription_at=billing.instant("2026-05-01"))
    assert advance.bill("2026-05-05T01:00") == 1
    assert advance.fees() == [("2", "6", True)]


def test_the_start_of_a_subscription_wakes_what_waits_for_it_and_nothing_overtakes_it(
    django_capture_on_commit_callbacks: Any,
) -> None:
    version = advance.make_plan(catalog.make_metric("seats", "sum_agg"))
    send("2026-05-04T12:00:00", "t1", seats=5)
    assert advance.bill("2026-05-04T12:00") == 0
    with django_capture_on_commit_callbacks() as woken:
        advance.make_subscription(version, at="2026-05-04", subscription_at=billing.instant("2026-05-01"))
    assert len(woken) == 1
    send("2026-05-04T12:00:02", "t2", seats=-2)
    assert advance.bill("2026-05-04T12:00:03") == 2  # at once, and in the order in which they came
    assert advance.fees() == [("5", "15", True), ("0", "0", True)]


def test_a_broken_price_stops_no_other_event() -> None:
    metric, other = catalog.make_metric("seats", "sum_agg"), catalog.make_metric("requests")
    version = catalog.make_plan(charges=[catalog.standard(metric, "3"), catalog.standard(other, "1")])
    Charge.objects.filter(plan_version=version).update(pay_in_advance=True, invoiceable=False)
    Charge.objects.filter(plan_version=version, metric=metric).update(properties={"amount": "no price"})
    advance.make_subscription(version)
    send("2026-05-04T12:00:00", "t1", seats=2)
    send("2026-05-04T12:00:00", "t2", code="requests")
    outcome = advance_events.bill_waiting(as_of=billing.instant("2026-05-04T13:00"))
    assert (outcome.fees, list(outcome.failed)) == (1, ["t1"])
    assert AdvanceEvent.objects.get().problem
    Charge.objects.filter(plan_version=version, metric=metric).update(properties={"amount": "3"})
    assert advance.bill("2026-05-04T13:01") == 0  # not again at once
    assert advance.bill("2026-05-04T13:10") == 1
    assert [amount for _, amount, _ in advance.fees()] == ["1", "6"]


def test_filters_and_groups_have_levels_of_their_own() -> None:
    metric = catalog.make_metric("seats", "sum_agg", filters=[{"key": "region", "values": ["eu", "us"]}])
    version = advance.make_plan(
        metric, filters=[{"values": {"region": ["eu"]}, "properties": {"amount": "5", "pricing_group_keys": ["team"]}}]
    )
    advance.make_subscription(version)
    send("2026-05-04T12:00:00", "t1", seats=1, region="eu", team="a")
    send("2026-05-04T12:00:00", "t2", seats=1, region="eu", team="b")
    send("2026-05-04T12:00:00", "t3", seats=1, region="us")
    advance.bill("2026-05-04T13:00")
    assert [amount for _, amount, _ in advance.fees()] == ["5", "5", "3"]
    groups = RatedCharge.objects.order_by("pk").values_list("group", flat=True)
    assert list(groups) == [{"team": "a"}, {"team": "b"}, {}]
    assert AdvanceLevel.objects.count() == 3


def test_a_level_starts_with_what_the_period_before_left() -> None:
    metric = catalog.make_metric("seats", "unique_count_agg", recurring=True)
    advance.make_subscription(advance.make_plan(metric))
    send("2026-05-04T12:00:00", "t1", seats="anna")
    advance.bill("2026-05-04T13:00")
    send("2026-06-04T12:00:00", "t2", seats="anna")  # is there already
    send("2026-06-05T12:00:00", "t3", seats="anna", operation_type="remove")
    send("2026-06-06T12:00:00", "t4", seats="ben")  # takes her place
    send("2026-06-07T12:00:00", "t5", seats="cleo")
    advance.bill("2026-06-08T00:00")
    assert [units for units, _, _ in advance.fees()] == ["1", "0", "0", "0", "1"]


def test_running_usage_shows_what_is_there_and_costs_what_was_billed() -> None:
    metric = catalog.make_metric("seats", "sum_agg")
    advance.make_subscription(advance.make_plan(metric))
    send("2026-05-04T12:00:00", "t1", seats=10)
    send("2026-05-04T12:00:00", "t2", seats=-6)
    advance.bill("2026-05-04T13:00")
    found = current_usage.read(
        external_customer_id="acme", external_subscription_id="sub", at=billing.instant("2026-05-05")
    )
    (charge,) = found.charges
    assert (charge.units, charge.amount.amount) == (4, 30)


def test_a_corrected_event_is_not_charged_twice() -> None:
    metric = catalog.make_metric("seats", "sum_agg")
    advance.make_subscription(advance.make_plan(metric))
    send("2026-05-04T12:00:00", "t1", seats=10)
    advance.bill("2026-05-04T13:00")
    amendment = CorrectionIn(
        transaction_id="t2",
        external_subscription_id="sub",
        corrects="t1",
        action=Action.AMEND,
        reason="",
        changes={"properties": msgspec.Raw(b'{"seats": 12}')},
        sent={"corrects": "t1", "action": "amend"},
    )
    at = billing.instant("2026-05-04T14:00")
    event_corrections.correct(corrections=[amendment], actor=ACTOR, at=at)
    advance.bill(at)
    # 10 were paid; 12 are there now: 2 more.
    assert advance.fees() == [("10", "30", True), ("2", "6", True)]
    event_corrections.withdraw(
        external_subscription_id="sub", transaction_id="t2", reason="never happened", actor=ACTOR, at=at
    )
    assert advance.bill(at) == 0
    level = AdvanceLevel.objects.get()
    assert (level.units, level.peak) == (0, 12)
