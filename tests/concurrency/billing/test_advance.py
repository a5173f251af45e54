"""Events that are paid in advance, billed by many at once and by some who are killed: each once, on the right level."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain import advance_rating
from billing.models import AdvanceEvent, AdvanceLevel, RatedCharge
from billing.services import advance_events, advance_fees
from billing.services import usage as ingestion
from catalog.models import BillableMetric, PlanVersion
from config.kernel import db, jobs
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.concurrency.threads import together
from tests.factories import advance, billing, catalog, usage

pytestmark = pytest.mark.django_db(transaction=True)

AT = billing.instant("2026-05-04T13:00")


@pytest.fixture(autouse=True)
def _sold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graduated price of nothing for the first unit and 2 for each other one; messages go nowhere."""

    def drop(path: str, **kwargs: object) -> None:
        """Send nothing."""

    monkeypatch.setattr(jobs, "enqueue", drop)
    version = advance.make_plan(catalog.make_metric("seats", "sum_agg"))
    ranges = [
        {"from_value": 0, "to_value": 1, "flat_amount": "0", "per_unit_amount": "0"},
        {"from_value": 2, "to_value": None, "flat_amount": "0", "per_unit_amount": "2"},
    ]
    version.charges.update(charge_model="graduated", properties={"graduated_ranges": ranges})
    advance.make_subscription(version)


def send(number: int) -> None:
    ingestion.ingest(
        events=[
            usage.make_event("2026-05-04T12:00:00", code="seats", transaction_id=f"t{number}", properties={"seats": 1})
        ],
        received_at=AT,
    )


def send_and_bill(number: int) -> Any:
    send(number)
    return advance_events.bill_waiting(as_of=AT)


def change_plan(code: str, at: str) -> None:
    billing.make_subscription(Customer.objects.get(), PlanVersion.objects.get(plan__code=code), at=billing.instant(at))


def billed() -> list[Decimal]:
    return sorted(line.amount.amount for line in InvoiceLine.objects.all())


def test_two_senders_at_once_are_billed_on_top_of_each_other() -> None:
    outcomes = together([lambda number=number: send_and_bill(number) for number in range(4)])
    assert [outcome.failed for outcome in outcomes] == [{}] * 4
    assert billed() == [0, 2, 2, 2]
    assert not AdvanceEvent.objects.exists()


def test_control_without_the_lock_both_see_the_same_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows what the lock is for: the second event is billed while the first is being priced, and its level is lost."""
    send_and_bill(0)
    send(1)
    send(2)
    first, second = AdvanceEvent.objects.order_by("pk").values_list("pk", flat=True)
    monkeypatch.setattr(db, "lock", list)
    rate, inside = advance_rating.rate, []

    def rate_late(**values: Any) -> Any:
        if not inside:
            inside.append(True)
            assert together([lambda: advance_events._bill("sub", [second], AT)]) == [1]
        return rate(**values)

    monkeypatch.setattr(advance_rating, "rate", rate_late)
    assert together([lambda: advance_events._bill("sub", [first], AT)]) == [1]
    assert AdvanceLevel.objects.get().peak == 2  # of three units


def test_killed_between_the_event_and_its_fee_the_sweeper_bills_it_once() -> None:
    send(1)
    send(2)
    assert not RatedCharge.objects.exists()  # the message was lost
    assert advance_events.sweep(as_of=AT).fees == 2
    assert advance_events.sweep(as_of=AT).fees == 0
    assert billed() == [0, 2]


def test_killed_while_billing_leaves_everything_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    send(1)

    def die(**values: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(advance_fees, "write", die)
        with pytest.raises(KeyboardInterrupt):
            advance_events.sweep(as_of=AT)
    assert not InvoiceLine.objects.exists()
    assert AdvanceEvent.objects.count() == 1
    assert advance_events.sweep(as_of=AT).fees == 1
    assert billed() == [0]


def test_sweepers_at_once_bill_every_event_once() -> None:
    for number in range(6):
        send(number)
    outcomes = together([lambda: advance_events.sweep(as_of=AT) for _ in range(3)])
    assert sum(outcome.fees for outcome in outcomes) == 6
    assert billed() == [0, 2, 2, 2, 2, 2]


def test_the_plan_is_changed_while_an_event_waits_for_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was a subscription is read under the lock: an event after the change is billed by the new plan."""
    advance.make_plan(BillableMetric.objects.get(), "9", code="dearer", cents=100)
    send(1)
    (queue_id,) = AdvanceEvent.objects.values_list("pk", flat=True)
    lock, inside = db.lock, []

    def lock_late(rows: Any, **options: Any) -> Any:
        if not inside:
            inside.append(True)
            together([lambda: change_plan("dearer", "2026-05-04T11:00")])
        return lock(rows, **options)

    monkeypatch.setattr(db, "lock", lock_late)
    assert advance_events._bill("sub", [queue_id], AT) == 1
    assert billed() == [9]
