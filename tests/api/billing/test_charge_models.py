"""Charge models, groups and minimums from the plan to the invoice, as the API takes and shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import time_machine

from billing.domain import trace
from billing.models import RatedCharge
from billing.services import runs
from catalog.models import Charge
from config.kernel import actors
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ApiClient
from tests.factories.usage import make_event, store

pytestmark = pytest.mark.django_db

START = instant("2026-05-01")
NEXT = instant("2026-06-01T01:00")


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


def subscribe(api: ApiClient, customer: Customer, model: str, properties: dict[str, Any], **values: Any) -> Charge:
    """Make a plan that costs nothing but usage of the sum of "size", by the API, and a subscription from 1 May."""
    metric = goods.make_metric(
        "calls", "sum_agg", field_name="size", filters=[{"key": "tier", "values": ["fast", "slow"]}]
    )
    charge = {"billable_metric_id": str(metric.uuid), "charge_model": model, "properties": properties, **values}
    plan = {
        "name": "P", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
        "pay_in_advance": False, "charges": [charge],
    }  # fmt: skip
    answer = api.call("post", "plans", {"plan": plan})
    assert answer.status_code == 200, answer.content
    stored = Charge.objects.select_related("plan_version").get()
    made.make_subscription(customer, stored.plan_version, at=START)
    return stored


def use(*sizes: object, **properties: Any) -> None:
    for number, size in enumerate(sizes, 1):
        made.send("sub", "calls", f"2026-05-{number + 1:02}", size=str(size), **properties)


def usage(api: ApiClient, customer: Customer) -> dict[str, Any]:
    with time_machine.travel(instant("2026-05-20"), tick=False):
        answer = api.read(f"customers/{customer.external_id}/current_usage", external_subscription_id="sub")
    assert answer.status_code == 200, answer.content
    (row,) = answer.json()["customer_usage"]["charges_usage"]
    return row


def bill(api: ApiClient) -> list[dict[str, Any]]:
    """Bill May, and return the fees as the API shows them, in their order."""
    runs.run(as_of=NEXT, trigger="schedule", actor=actors.job("billing"))
    runs.run(as_of=NEXT, trigger="schedule", actor=actors.job("billing"))  # again, for nothing
    invoice = Invoice.objects.get()
    fees = api.read(f"invoices/{invoice.uuid}").json()["invoice"]["fees"]
    for rated in RatedCharge.objects.all():
        assert trace.verify(rated.trace)
        assert trace.digest(rated.trace) == rated.trace_sha256
    return fees


PERCENTAGE = {"rate": "1", "fixed_amount": "5"}
RANGES = [
    {"from_value": 0, "to_value": 1000, "rate": "1", "flat_amount": "200"},
    {"from_value": 1001, "to_value": None, "rate": "2", "flat_amount": "300"},
]


@pytest.mark.parametrize(
    ("model", "properties", "sizes", "cents"),
    [
        ("percentage", {"rate": "1.5"}, [100, 50.5], 226),  # 150.5 x 1.5 % = 2.2575
        ("percentage", PERCENTAGE, [10, 10, 10, 10], 2040),  # 40 x 1 % + 4 x 5
        ("percentage", {**PERCENTAGE, "free_units_per_events": 3}, [10, 10, 10, 10], 510),  # 10 x 1 % + 5
        (
            "percentage",
            {**PERCENTAGE, "free_units_per_total_aggregation": "25"},
            [10, 10, 10, 10],
            1015,
        ),  # 15 x 1 % + 10
        (
            "percentage",
            {
                "rate": "1",
                "fixed_amount": "1",
                "per_transaction_min_amount": "1.75",
                "per_transaction_max_amount": "12",
            },
            [100, 1000, 10000, 10],
            2675,  # 2, 11, 101 held at 12, 1.10 raised to 1.75
        ),
        ("graduated_percentage", {"graduated_percentage_ranges": RANGES}, [500], 20500),  # 500 x 1 % + 200
        ("graduated_percentage", {"graduated_percentage_ranges": RANGES}, [500, 1000], 52000),  # 10 + 200 + 10 + 300
    ],
)
def test_the_running_period_and_its_invoice_agree(
    api: ApiClient, customer: Customer, model: str, properties: dict[str, Any], sizes: Sequence[object], cents: int
) -> None:
    charge = subscribe(api, customer, model, properties)
    use(*sizes)
    assert charge.properties == properties
    row = usage(api, customer)
    assert (row["amount_cents"], row["charge"]["charge_model"]) == (cents, model)
    (fee,) = bill(api)
    assert (fee["amount_cents"], fee["events_count"]) == (cents, len(sizes))
    assert fee["item"]["grouped_by"] == {}


def test_a_dynamic_price_is_what_the_events_say(api: ApiClient, customer: Customer) -> None:
    subscribe(api, customer, "dynamic", {})
    body = {"code": "calls", "external_subscription_id": "sub", "timestamp": "2026-05-05T00:00:00Z"}
    for number, cents in enumerate(["10.1", "901.9", None]):
        event = {**body, "transaction_id": f"t{number}", "properties": {"size": 10}}
        with time_machine.travel(instant("2026-05-06"), tick=False):
            answer = api.call("post", "events", {"event": {**event, "precise_total_amount_cents": cents}})
        assert answer.status_code == 200, answer.content
    row = usage(api, customer)
    assert (row["units"], row["amount_cents"]) == ("30.0", 912)
    (fee,) = bill(api)
    assert (fee["units"], fee["amount_cents"]) == ("30.0", 912)


def test_each_group_is_a_line(api: ApiClient, customer: Customer) -> None:
    charge = subscribe(
        api, customer, "package", {"amount": "5", "package_size": 10, "free_units": 0, "grouped_by": ["region"]}
    )
    assert charge.properties["pricing_group_keys"] == ["region"]
    use(4, 9, region="eu")
    use(1, region="us")
    use(1)
    row = usage(api, customer)
    assert (row["units"], row["amount_cents"]) == ("15.0", 2000)
    shown = [(one["grouped_by"], one["units"], one["amount_cents"], one["filters"]) for one in row["grouped_usage"]]
    assert shown == [
        ({"region": "eu"}, "13.0", 1000, []),  # two packages
        ({"region": "us"}, "1.0", 500, []),
        ({"region": None}, "1.0", 500, []),
    ]
    fees = bill(api)
    assert [(fee["item"]["grouped_by"], fee["amount_cents"]) for fee in fees] == [
        ({"region": "eu"}, 1000),
        ({"region": "us"}, 500),
        ({"region": ""}, 500),  # official clients take texts alone
    ]
    labels = [fee["item"]["invoice_display_name"] for fee in fees]
    assert labels == ["Calls – region: eu", "Calls – region: us", "Calls – region: –"]
    assert RatedCharge.objects.values("item_key").distinct().count() == 3


def test_groups_inside_filters(api: ApiClient, customer: Customer) -> None:
    fast = {"values": {"tier": ["fast"]}, "properties": {"amount": "2", "pricing_group_keys": ["region"]}}
    subscribe(api, customer, "standard", {"amount": "1", "pricing_group_keys": ["region"]}, filters=[fast])
    use(1, 2, region="eu", tier="fast")
    use(5, region="eu")
    use(7, region="us")
    row = usage(api, customer)
    assert row["amount_cents"] == 1800  # 3 x 2 + 5 + 7
    assert [(one["values"], one["units"], one["amount_cents"]) for one in row["filters"]] == [
        ({"tier": ["fast"]}, "3.0", 600),
        (None, "12.0", 1200),
    ]
    shown = [
        (one["grouped_by"], one["amount_cents"], [(part["values"], part["units"]) for part in one["filters"]])
        for one in row["grouped_usage"]
    ]
    assert shown == [
        ({"region": "eu"}, 1100, [({"tier": ["fast"]}, "3.0"), (None, "5.0")]),
        ({"region": "us"}, 700, [(None, "7.0")]),
    ]
    assert [fee["amount_cents"] for fee in bill(api)] == [500, 700, 600]


def test_without_usage_a_grouped_charge_shows_the_group_of_nothing(api: ApiClient, customer: Customer) -> None:
    subscribe(api, customer, "standard", {"amount": "1", "pricing_group_keys": ["region"]})
    (group,) = usage(api, customer)["grouped_usage"]
    assert (group["grouped_by"], group["units"], group["amount_cents"]) == ({"region": None}, "0.0", 0)


def test_plans_show_the_keys_under_both_names(api: ApiClient, customer: Customer) -> None:
    fast = {"values": {"tier": ["fast"]}, "properties": {"amount": "2", "grouped_by": ["region"]}}
    subscribe(
        api, customer, "standard", {"amount": "1", "pricing_group_keys": ["a"]}, filters=[fast], min_amount_cents=7
    )
    (charge,) = api.read("plans/p").json()["plan"]["charges"]
    assert charge["properties"] == {"amount": "1", "pricing_group_keys": ["a"], "grouped_by": ["a"]}
    assert charge["filters"][0]["properties"]["pricing_group_keys"] == ["region"]
    assert charge["min_amount_cents"] == 7
    again = {"charges": [{"id": charge["lago_id"], "properties": charge["properties"]}]}
    (same,) = api.call("put", "plans/p", {"plan": again}).json()["plan"]["charges"]
    assert (same["properties"], same["min_amount_cents"]) == (charge["properties"], 7)


def test_a_minimum_is_topped_up_on_the_invoice(api: ApiClient, customer: Customer) -> None:
    subscribe(api, customer, "standard", {"amount": "0.01"}, min_amount_cents=10000)
    use(5000)
    assert usage(api, customer)["amount_cents"] == 5000  # nothing is missing before the period is over
    own, missing = bill(api)
    assert [own["amount_cents"], missing["amount_cents"]] == [5000, 5000]
    assert (own["lago_true_up_fee_id"], own["lago_true_up_parent_fee_id"]) == (missing["lago_id"], None)
    assert (missing["lago_true_up_fee_id"], missing["lago_true_up_parent_fee_id"]) == (None, own["lago_id"])
    assert (missing["units"], missing["events_count"]) == ("1.0", 0)
    assert missing["item"]["invoice_display_name"] == "Calls – True-up"


def test_a_minimum_of_a_shorter_period_is_that_of_its_days(api: ApiClient, customer: Customer) -> None:
    subscribe(api, customer, "standard", {"amount": "0.01"}, min_amount_cents=3100)
    made.make_subscription(customer, Charge.objects.get().plan_version, "late", at=instant("2026-05-15"))
    runs.run(as_of=NEXT, trigger="schedule", actor=actors.job("billing"))
    rows = RatedCharge.objects.filter(true_up_of__isnull=False).order_by("subscription__external_id")
    assert [(row.subscription.external_id, str(row.line.amount.amount)) for row in rows] == [
        ("late", "17.0000"),  # 31 / 31 x 17
        ("sub", "31.0000"),
    ]
    assert [row.true_up_of.amount.amount for row in rows] == [0, 0]  # the line of nothing that they top up is there


def test_a_draft_with_a_true_up_is_computed_anew(api: ApiClient, customer: Customer) -> None:
    Customer.objects.update(invoice_grace_period=5)
    subscribe(api, customer, "standard", {"amount": "0.01"}, min_amount_cents=10000)
    runs.run(as_of=NEXT, trigger="schedule", actor=actors.job("billing"))
    invoice = Invoice.objects.get()
    assert invoice.status == Invoice.Status.DRAFT
    store(make_event("2026-05-05", external_subscription_id="sub", code="calls", properties={"size": "3000"}))
    with time_machine.travel(instant("2026-06-02"), tick=False):
        answer = api.call("put", f"invoices/{invoice.uuid}/refresh", {})
    assert answer.status_code == 200, answer.content
    assert [fee["amount_cents"] for fee in answer.json()["invoice"]["fees"]] == [3000, 7000]
    assert RatedCharge.objects.count() == 2
