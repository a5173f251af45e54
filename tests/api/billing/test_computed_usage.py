"""Usage by expression, from the event to the amount: posted singly, in batches and in streams."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import UsageEvent
from billing.services import runs
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    """A customer who pays 2.00 for a gigabyte-hour."""
    metric = goods.make_metric(
        "storage",
        "sum_agg",
        field_name="gbh",
        expression="ROUND(event.properties.bytes / 1000000000 * event.properties.hours, 3)",
    )
    found = parties.make_customer(parties.make_entity())
    plan = goods.make_plan("pro", cents=0, charges=[goods.standard(metric, "2")])
    made.make_subscription(found, plan, at=instant("2026-05-01"))
    return found


def event(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "transaction_id": name,
        "external_subscription_id": "sub",
        "code": "storage",
        "timestamp": "2026-05-10T00:00:00Z",
        "properties": properties,
    }


def test_answers_show_what_was_computed(api: ApiClient, customer: Customer) -> None:
    sent = {"bytes": 1_234_567_890, "hours": 2}
    one = api.call("post", "events", {"event": event("a", **sent)})
    # 1.23456789 × 2 = 2.46913578
    assert one.json()["event"]["properties"] == {**sent, "gbh": "2.469"}
    batch = api.call("post", "events/batch", {"events": [event("b", **sent), event("c", bytes="?", hours=1)]})
    assert [row["properties"] for row in batch.json()["events"]] == [
        {**sent, "gbh": "2.469"},
        {"bytes": "?", "hours": 1},
    ]
    assert api.read("events/a").json()["event"]["properties"] == {**sent, "gbh": "2.469"}
    failed = UsageEvent.objects.get(transaction_id="c")
    assert failed.failures == {"gbh": {"problem": "“?” is no number", "position": 7}}


def test_a_stream_is_computed_too_and_told_the_same_when_it_comes_again(api: ApiClient, customer: Customer) -> None:
    events = {"events": [event("a", bytes=10**9, hours=2), event("b", bytes=10**9)]}
    for verdict in ("accepted", "duplicate"):
        response = api.call("post", "events/stream", events)
        assert [row["verdict"] for row in response.json()["events"]] == [verdict, verdict], response.content
    first, second = UsageEvent.objects.order_by("transaction_id")
    assert (first.properties["gbh"], first.value, first.failures) == ("2", 2, None)
    assert second.failures == {"gbh": {"problem": "the event has no property hours", "position": 45}}


def test_computed_units_are_billed_and_failed_ones_are_not(api: ApiClient, customer: Customer) -> None:
    events = [
        event("a", bytes=1_500_000_000, hours=2),
        event("b", bytes=500_000_000, hours="3"),
        event("c", bytes=10**12),
        event("d", bytes=10**12, gbh=1000),
    ]
    assert api.call("post", "events/batch", {"events": events}).status_code == 200
    with time_machine.travel(instant("2026-05-20"), tick=False):
        usage = api.read(f"customers/{customer.external_id}/current_usage", external_subscription_id="sub").json()
    [charge] = usage["customer_usage"]["charges_usage"]
    # 1.5 × 2 + 0.5 × 3 = 4.5 gigabyte-hours × 2.00
    assert (charge["units"], charge["events_count"], charge["amount_cents"]) == ("4.5", 2, 900)
    runs.run(as_of=instant("2026-06-01T12:00"), trigger="test", actor=ACTOR)
    line = InvoiceLine.objects.get()
    assert (line.units, line.amount.amount) == (4.5, 9)
