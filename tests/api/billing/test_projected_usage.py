"""``/customers/:external_id/projected_usage``: the running period at its end, as usage goes on."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import UsageEvent
from billing.services import event_corrections
from customers.models import Customer
from tests.factories import advance, pricing
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db

TENTH = instant("2026-05-10T08:00")


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


def read(api: ApiClient, customer: Customer, **params: Any) -> dict[str, Any]:
    with time_machine.travel(TENTH, tick=False):
        response = api.read(
            f"customers/{customer.external_id}/projected_usage", external_subscription_id="sub", **params
        )
    assert response.status_code == 200, response.content
    return response.json()["customer_projected_usage"]


def subscribe(customer: Customer, *charges: Any) -> Any:
    version = goods.make_plan("pro", charges=charges)
    made.make_subscription(customer, version, at=instant("2026-05-01"))
    return version


def test_usage_goes_on_as_so_far(api: ApiClient, customer: Customer) -> None:
    customer.taxes.add(goods.make_tax("vat", "0.19"))
    metric = goods.make_metric("calls", filters=[{"key": "region", "values": ["eu"]}])
    properties = {"amount": "1", "pricing_group_keys": ["team"], "presentation_group_keys": ["user"]}
    subscribe(
        customer,
        goods.standard(
            metric,
            properties=properties,
            filters=[{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}],
        ),
    )
    made.send("sub", "calls", "2026-05-02", "2026-05-03", region="eu")
    made.send("sub", "calls", "2026-05-04", team="red", user="ada")

    usage = read(api, customer)

    [row] = usage.pop("charges_usage")
    assert usage == {
        "from_datetime": "2026-05-01T00:00:00Z",
        "to_datetime": "2026-05-31T23:59:59Z",
        "issuing_date": "2026-05-31",
        "currency": "EUR",
        "amount_cents": 500,
        "projected_amount_cents": 1550,  # 31 of 10 days: 2 x 3.1 = 6.2 at 2.00, and 3.1 at 1.00
        "taxes_amount_cents": 95,
        "total_amount_cents": 595,
        "lago_invoice_id": None,
    }
    assert (row["units"], row["projected_units"], row["projected_amount_cents"]) == ("3.0", "9.3", 1550)
    assert [(one["values"], one["projected_units"], one["projected_amount_cents"]) for one in row["filters"]] == [
        ({"region": ["eu"]}, "6.2", 1240),
        ({}, "3.1", 310),
    ]
    groups = {one["grouped_by"].get("team"): one for one in row["grouped_usage"]}
    assert groups["red"]["projected_amount_cents"] == 310
    assert groups["red"]["projected_presentation_breakdowns"] == [{"presentation_by": {"user": "ada"}, "units": "3.1"}]
    assert groups["red"]["presentation_breakdowns"] == [{"presentation_by": {"user": "ada"}, "units": "1.0"}]


def test_what_lasts_stays_as_it_is(api: ApiClient, customer: Customer) -> None:
    seats = goods.make_metric("seats", "sum_agg", recurring=True)
    level = goods.make_metric("storage", "weighted_sum_agg")
    subscribe(customer, goods.standard(seats, "10"), goods.standard(level, "1"))
    made.send("sub", "seats", "2026-05-02", seats=5)
    made.send("sub", "storage", "2026-05-01", storage=31)
    usage = read(api, customer)
    found = {row["billable_metric"]["code"]: row for row in usage["charges_usage"]}
    assert [(found[code]["units"], found[code]["projected_units"]) for code in ("seats", "storage")] == [
        ("5.0", "5.0"),
        ("31.0", "31.0"),
    ]
    assert usage["projected_amount_cents"] == usage["amount_cents"] == 8100


def test_what_is_priced_otherwise_grows_by_its_amount(api: ApiClient, customer: Customer) -> None:
    metric = goods.make_metric("payments", "sum_agg")
    charge = {
        "billable_metric_id": metric.uuid,
        "charge_model": "percentage",
        "properties": {"rate": "1", "fixed_amount": "0.50"},
    }
    version = subscribe(customer, charge)
    pricing.in_unit(version, goods.make_pricing_unit(), "2")
    made.send("sub", "payments", "2026-05-02", payments=100)
    usage = read(api, customer)  # 1.00 + 0.50 = 1.50 CR x 2; 1.50 x 3.1 = 4.65 CR x 2
    assert (usage["amount_cents"], usage["projected_amount_cents"]) == (300, 930)


@pytest.mark.parametrize("is_in_unit", [False, True])
def test_what_was_billed_at_once_stays_billed_when_its_event_is_withdrawn(
    api: ApiClient, customer: Customer, *, is_in_unit: bool
) -> None:
    charge = goods.standard(goods.make_metric("storage", "sum_agg"), "0.10", pay_in_advance=True, invoiceable=False)
    version = subscribe(customer, charge)
    if is_in_unit:
        pricing.in_unit(version, goods.make_pricing_unit(), "2")
    made.send("sub", "storage", "2026-05-02", storage=1)
    made.send("sub", "storage", "2026-05-03", storage=9)
    advance.bill("2026-05-04")
    last = UsageEvent.objects.get(timestamp=instant("2026-05-03"))
    event_corrections.withdraw(
        external_subscription_id="sub",
        transaction_id=last.transaction_id,
        reason="A mistake.",
        actor=ACTOR,
        at=instant("2026-05-05"),
    )

    [row] = read(api, customer)["charges_usage"]

    # 1 unit is left, 3.1 are expected: 0.31 of the 1.00 that is billed already, and no refund.
    billed = 200 if is_in_unit else 100
    assert (row["units"], row["projected_units"]) == ("1.0", "3.1")
    assert (row["amount_cents"], row["projected_amount_cents"]) == (billed, billed)


def test_usage_below_nothing_is_expected_to_cost_nothing(api: ApiClient, customer: Customer) -> None:
    ranges = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "7"}]
    charge = {
        "billable_metric_id": goods.make_metric("storage", "sum_agg").uuid,
        "charge_model": "graduated",
        "properties": {"graduated_ranges": ranges},
    }
    subscribe(customer, charge)
    made.send("sub", "storage", "2026-05-02", storage=5)
    made.send("sub", "storage", "2026-05-03", storage=-8)
    [row] = read(api, customer)["charges_usage"]
    assert (row["units"], row["amount_cents"]) == ("0.0", 0)
    assert (row["projected_units"], row["projected_amount_cents"]) == ("0.0", 0)


def test_without_usage_nothing_is_expected(api: ApiClient, customer: Customer) -> None:
    subscribe(customer, goods.standard(goods.make_metric("calls"), "1"))
    usage = read(api, customer, billable_metric_code="calls")
    [row] = usage["charges_usage"]
    assert (row["projected_units"], row["projected_amount_cents"], usage["projected_amount_cents"]) == ("0.0", 0, 0)


def test_without_a_subscription_there_is_no_period(api: ApiClient, customer: Customer) -> None:
    response = api.read(f"customers/{customer.external_id}/projected_usage", external_subscription_id="sub")
    assert (response.status_code, response.json()["code"]) == (405, "no_active_subscription")
