"""Corrections of events: what they take out of the usage, what they put back, and that history stays."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from billing.domain import event_corrections as rules
from billing.domain.event_corrections import CorrectionIn
from billing.models import BilledPeriod, EventCorrection, LateUsage, UsageEvent
from billing.queries import current_usage, event_hours
from billing.queries import event_corrections as known
from billing.services import event_corrections, late_usage, runs, usage
from config.kernel import errors
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR
from tests.factories.usage import RECEIVED_AT, make_event

pytestmark = pytest.mark.django_db

AT = instant("2026-01-25")
AGGREGATIONS = ("count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg", "weighted_sum_agg")


def correction(name: str, corrects: str, action: str = "withdraw", **values: Any) -> CorrectionIn:
    content = {
        "transaction_id": name, "corrects": corrects, "external_subscription_id": "sub", "action": action,
        "reason": "A mistake.", **values,
    }  # fmt: skip
    found = rules.examine(json.dumps(content).encode(), received_at=AT)
    assert isinstance(found, CorrectionIn), found
    return found


def correct(name: str, corrects: str, action: str = "withdraw", **values: Any) -> EventCorrection:
    one = correction(name, corrects, action, **values)
    return event_corrections.correct(corrections=[one], actor=ACTOR, at=AT)[0]


@pytest.fixture
def customer() -> Customer:
    """A customer on a plan that counts "v" in every way, with three events of 5, 7 and 1."""
    charges = []
    for kind in AGGREGATIONS[:-1]:
        field = {} if kind == "count_agg" else {"field_name": "v"}
        charges.append(goods.standard(goods.make_metric(kind, kind, **field, event_code="e"), "1"))
    charges.append(
        goods.standard(goods.make_metric("level", "weighted_sum_agg", field_name="v", event_code="e"), "1")
    )  # fmt: skip
    plan = goods.make_plan("all", cents=0, charges=charges)
    found = parties.make_customer(parties.make_entity())
    made.make_subscription(found, plan, at=instant("2026-01-01"))
    for name, moment, value in (("a", "2026-01-01", 5), ("b", "2026-01-10", 7), ("c", "2026-01-20", 1)):
        store(name, moment, v=value)
    return found


def store(name: str, moment: str, **properties: Any) -> None:
    event = make_event(moment, transaction_id=name, external_subscription_id="sub", code="e", properties=properties)
    usage.ingest(events=[event], received_at=RECEIVED_AT)


def units(customer: Customer) -> dict[str, str]:
    found = current_usage.read(
        external_customer_id=customer.external_id, external_subscription_id="sub", at=instant("2026-01-31")
    )
    return {one.metric.code: f"{one.units.normalize():f}" for one in found.charges}


def simple(customer: Customer) -> tuple[str, ...]:
    found = units(customer)
    return tuple(found[kind] for kind in AGGREGATIONS[:-1])


def test_every_aggregation_leaves_a_withdrawn_event_out_and_history_stays(customer: Customer) -> None:
    level = units(customer)["level"]
    assert simple(customer) == ("3", "13", "7", "1", "3")
    correct("w", "b")
    assert simple(customer) == ("2", "6", "5", "1", "2")
    assert Decimal(units(customer)["level"]) < Decimal(level)
    event = UsageEvent.objects.get(transaction_id="b")
    assert (event.properties, event.replaced_at) == ({"v": 7}, AT)
    # The hours that a sender reconciles are those of what was sent.
    hour = instant("2026-01-10")
    assert event_hours.stored(hours=[hour])[hour].count == 1


def test_an_amendment_is_an_event_that_takes_the_place_of_another(customer: Customer) -> None:
    correct("a2", "a", "amend", properties={"v": 2})
    assert simple(customer) == ("3", "10", "7", "1", "3")
    amended = UsageEvent.objects.get(transaction_id="a2")
    assert (amended.code, amended.timestamp) == ("e", instant("2026-01-01"))
    correct("a3", "a2", "amend", timestamp="2026-01-25T00:00:00Z")
    assert simple(customer) == ("3", "10", "7", "2", "3")  # now the latest one
    correct("w", "a3")
    assert simple(customer) == ("2", "8", "7", "1", "2")
    assert [row.transaction_id for row in known.chain(external_subscription_id="sub", transaction_id="a2")] == [
        "a2", "a3", "w",
    ]  # fmt: skip


def test_a_withdrawal_can_be_withdrawn_or_amended(customer: Customer) -> None:
    correct("w", "b")
    correct("w2", "w")
    assert simple(customer) == ("3", "13", "7", "1", "3")
    with pytest.raises(errors.Conflict) as refused:
        correct("w3", "w2")
    assert refused.value.code == "correction_not_correctable"
    correct("w4", "b")
    correct("b2", "w4", "amend", properties={"v": 8})
    assert simple(customer) == ("3", "14", "8", "1", "3")


def test_a_repeat_changes_nothing_and_another_content_is_a_conflict(customer: Customer) -> None:
    first = correct("b2", "b", "amend", properties={"v": 8})
    assert correct("b2", "b", "amend", properties={"v": 8}) == first
    with pytest.raises(errors.Conflict):
        correct("b2", "b", "amend", properties={"v": 9})
    with pytest.raises(errors.Conflict) as refused:
        correct("w", "b")
    assert refused.value.code == "event_already_corrected"
    assert (EventCorrection.objects.count(), simple(customer)) == (1, ("3", "14", "8", "1", "3"))


def test_a_transaction_id_stands_for_one_thing(customer: Customer) -> None:
    for action, changes in (("withdraw", {}), ("amend", {"properties": {"v": 9}})):
        with pytest.raises(errors.Conflict) as refused:
            correct("c", "b", action, **changes)
        assert refused.value.code == "value_already_exist"
    correct("w", "b")
    with pytest.raises(errors.DomainError):
        store("w", "2026-01-12", v=1)
    assert simple(customer) == ("2", "6", "5", "1", "2")


def test_what_is_not_there_cannot_be_corrected_and_of_several_none_is(customer: Customer) -> None:
    several = [correction("w", "b"), correction("w2", "nothing")]
    with pytest.raises(errors.NotFound):
        event_corrections.correct(corrections=several, actor=ACTOR, at=AT)
    assert EventCorrection.objects.count() == 0
    assert simple(customer) == ("3", "13", "7", "1", "3")


def test_in_a_billed_period_a_correction_is_late_usage(customer: Customer) -> None:
    runs.run(as_of=instant("2026-02-01T00:10"), trigger="test", actor=ACTOR)
    assert BilledPeriod.objects.count() == 1
    event_corrections.withdraw(
        external_subscription_id="sub", transaction_id="b", reason="A test.", actor=ACTOR, at=instant("2026-02-02")
    )
    late_usage.run(as_of=instant("2026-02-03"))
    found = {row.charge.code: row for row in LateUsage.objects.select_related("charge")}
    effects = {code: (f"{row.amount.amount.normalize():f}", row.events_count) for code, row in found.items()}
    assert {code: effect for code, effect in effects.items() if code != "level"} == {
        "count_agg": ("-1", -1),
        "sum_agg": ("-7", -1),
        "max_agg": ("-2", -1),
        "unique_count_agg": ("-1", -1),
        "latest_agg": ("0", -1),
    }
    assert found["latest_agg"].state == "no_effect"
