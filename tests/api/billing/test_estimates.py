"""What events would cost: alone, and after what came before. Nothing of it is stored."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.domain import identity
from billing.models import AdvanceLevel, UsageEvent
from catalog.models import Charge, PlanVersion
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import pricing
from tests.factories.billing import instant
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

NOW = instant("2026-05-10T08:00")


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


def sell(customer: Customer, *charges: Any) -> PlanVersion:
    """Subscribe the customer to charges that are paid in advance."""
    version = goods.make_plan("pro", cents=0, charges=charges)
    pricing.in_advance(version)
    made.make_subscription(customer, version, at=instant("2026-05-01"))
    return version


def percentage(metric: Any, **properties: Any) -> dict[str, Any]:
    return {"billable_metric_id": metric.uuid, "charge_model": "percentage", "properties": properties}


def event(code: str = "payments", **properties: Any) -> dict[str, Any]:
    return {"external_subscription_id": "sub", "code": code, "properties": properties}


def post(api: ApiClient, path: str, body: Any) -> Any:
    with time_machine.travel(NOW, tick=False):
        return api.call("post", f"events/{path}", body)


def instant_fees(api: ApiClient, *events: dict[str, Any]) -> list[dict[str, Any]]:
    response = post(api, "batch_estimate_instant_fees", {"events": list(events)})
    assert response.status_code == 200, response.content
    return response.json()["fees"]


def nothing_is_stored() -> bool:
    return not (UsageEvent.objects.exists() or InvoiceLine.objects.exists() or AdvanceLevel.objects.exists())


@pytest.mark.parametrize(
    ("properties", "value", "precise", "cents"),
    [
        ({"rate": "2.99"}, "20", 0.598, 60),
        ({"rate": "2.99", "per_transaction_min_amount": "5.5"}, "20", 5.5, 550),
        (
            {
                "rate": "0",
                "fixed_amount": "2",
                "per_transaction_max_amount": "15",
                "per_transaction_min_amount": "0",
            },
            "100",
            2.0,
            200,
        ),
        ({"rate": "12", "fixed_amount": "2", "per_transaction_min_amount": "13"}, "0", 13.0, 1300),
    ],
)
def test_a_percentage_of_one_event(
    api: ApiClient, customer: Customer, properties: dict[str, str], value: str, precise: float, cents: int
) -> None:
    sell(customer, percentage(goods.make_metric("payments", "sum_agg", field_name="amount"), **properties))
    response = post(api, "estimate_instant_fees", {"event": event(amount=value)})
    [fee] = response.json()["fees"]
    assert (fee["precise_amount"], fee["amount_cents"], fee["units"]) == (precise, cents, f"{value}.0")
    assert nothing_is_stored()


def test_the_shape_of_an_estimate(api: ApiClient, customer: Customer) -> None:
    customer.taxes.add(goods.make_tax("vat", "0.19"))
    metric = goods.make_metric("calls", filters=[{"key": "region", "values": ["eu", "us"]}])
    filters = [
        {"values": {"region": ["eu"]}, "properties": {"amount": "3", "pricing_group_keys": ["team"]},
         "invoice_display_name": "Europe"},
    ]  # fmt: skip
    version = sell(customer, goods.standard(metric, "1", filters=filters))
    sent = {**event("calls", region="eu", team="red"), "transaction_id": "t-1"}
    [fee] = post(api, "estimate_instant_fees", {"event": sent}).json()["fees"]
    charge = version.charges.get()
    assert {name: value for name, value in fee.items() if value is not None} == {
        "lago_charge_id": str(charge.key),
        "lago_charge_filter_id": str(charge.filters.get().key),
        "lago_subscription_id": str(version.subscriptions.get().uuid),
        "external_subscription_id": "sub",
        "lago_customer_id": str(customer.uuid),
        "external_customer_id": customer.external_id,
        "item": {
            "type": "charge",
            "code": "calls",
            "name": "Calls",
            "description": None,
            "invoice_display_name": "Calls",
            "filters": {"region": ["eu"]},
            "filter_invoice_display_name": "Europe",
            "lago_item_id": str(metric.uuid),
            "item_type": "BillableMetric",
            "grouped_by": {"team": "red"},
        },
        "pay_in_advance": True,
        "invoiceable": True,
        "amount_cents": 300,
        "amount_currency": "EUR",
        "precise_amount": 3.0,
        "precise_total_amount": 3.57,
        "taxes_amount_cents": 57,
        "taxes_precise_amount": 0.57,
        "taxes_rate": 19.0,
        "total_aggregated_units": "1.0",
        "total_amount_cents": 357,
        "total_amount_currency": "EUR",
        "units": "1.0",
        "precise_unit_amount": "3.0",
        "precise_coupons_amount_cents": "0.0",
        "sub_total_excluding_taxes_amount_cents": 300,
        "sub_total_excluding_taxes_precise_amount_cents": "300.0",
        "events_count": 1,
        "payment_status": "pending",
        "amount_details": {},
        "self_billed": False,
        "presentation_breakdowns": [],
        "event_transaction_id": "t-1",
        "applied_taxes": [],
    }


def test_many_events_in_their_order(api: ApiClient, customer: Customer) -> None:
    sell(customer, goods.standard(goods.make_metric("payments", "sum_agg", field_name="amount"), "0.5"))
    found = instant_fees(
        api, event(amount=4), event(amount="2.5"), event(amount="1e3"), event(), event(amount=-1), event(amount="5\n")
    )
    assert [(fee["units"], fee["events_count"], fee["amount_cents"]) for fee in found] == [
        ("4.0", 1, 200),
        ("2.5", 1, 125),
        ("0.0", 0, 0),  # no plain decimal, so that the event counts nowhere
        ("0.0", 0, 0),
        ("0.0", 1, 0),
        ("0.0", 0, 0),
    ]
    assert nothing_is_stored()


def test_computed_properties_are_computed(api: ApiClient, customer: Customer) -> None:
    metric = goods.make_metric(
        "payments", "sum_agg", field_name="amount", expression="event.properties.price * event.properties.pieces"
    )
    sell(customer, goods.standard(metric, "1"))
    [fee] = instant_fees(api, event(price="2.5", pieces=3))
    assert (fee["units"], fee["amount_cents"]) == ("7.5", 750)


def test_an_estimate_in_a_pricing_unit(api: ApiClient, customer: Customer) -> None:
    version = sell(customer, goods.standard(goods.make_metric("payments", "sum_agg", field_name="amount"), "0.333"))
    pricing.in_unit(version, goods.make_pricing_unit(), "0.03")
    for path in ("estimate_instant_fees", "estimate_fees"):
        [fee] = post(api, path, {"event": event(amount=5)}).json()["fees"]
        assert fee["amount_cents"] == 5  # 1.665 -> 1.67 CR x 0.03 = 0.0501
        assert (fee["pricing_unit_details"]["amount_cents"], fee["precise_amount"]) == (167, 0.0501)


TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "5"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "2"},
]


def graduated(metric: Any) -> dict[str, Any]:
    return {"billable_metric_id": metric.uuid, "charge_model": "graduated", "properties": {"graduated_ranges": TIERS}}


def test_an_event_after_others_costs_what_it_adds(api: ApiClient, customer: Customer) -> None:
    version = sell(customer, graduated(goods.make_metric("payments", "sum_agg", field_name="amount")))
    [fee] = post(api, "estimate_fees", {"event": event(amount=4)}).json()["fees"]
    assert (fee["amount_cents"], fee["units"]) == (900, "4.0")  # the first range opens: 5 + 4 x 1
    assert nothing_is_stored()

    reach(version, "8", "8")
    [fee] = post(api, "estimate_fees", {"event": event(amount=4)}).json()["fees"]
    assert fee["amount_cents"] == 500  # 5 + 10 + 2 + 2 x 0.5 = 18, less 5 + 8 = 13
    assert (fee["units"], fee["total_aggregated_units"], fee["events_count"]) == ("4.0", "12.0", 1)
    [level] = AdvanceLevel.objects.all()
    assert (level.units, level.events_count) == (8, 1)  # as it was


def test_units_below_the_highest_level_cost_nothing_again(api: ApiClient, customer: Customer) -> None:
    version = sell(customer, goods.standard(goods.make_metric("payments", "sum_agg", field_name="amount"), "1"))
    reach(version, "2", "10")  # ten, and eight taken back
    [fee] = post(api, "estimate_fees", {"event": event(amount=9)}).json()["fees"]
    assert (fee["units"], fee["amount_cents"]) == ("1.0", 100)  # 2 + 9 is one above 10
    [fee] = post(api, "estimate_fees", {"event": event(amount=-1)}).json()["fees"]
    assert (fee["units"], fee["amount_cents"]) == ("0.0", 0)


def reach(version: PlanVersion, units: str, peak: str) -> None:
    """Let the usage of May have come to so many units, and to so many at most."""
    AdvanceLevel.objects.create(
        subscription=version.subscriptions.get(),
        item_key=identity.item_key(charge_key=str(version.charges.get().key), filter_key=None, group={}),
        from_at=instant("2026-05-01"),
        updated_at=NOW,
        events_count=1,
        units=Decimal(units),
        peak=Decimal(peak),
    )


PATHS = ("estimate_fees", "estimate_instant_fees")


@pytest.mark.parametrize("path", PATHS)
def test_prices_in_arrears_are_not_estimated(api: ApiClient, customer: Customer, path: str) -> None:
    sell(customer, goods.standard(goods.make_metric("payments"), "1"))
    Charge.objects.update(pay_in_advance=False)
    response = post(api, path, {"event": event()})
    assert (response.status_code, response.json()["error_details"]) == (
        422,
        {"code": ["does_not_match_an_instant_charge"]},
    )


def test_other_models_are_not_estimated_alone(api: ApiClient, customer: Customer) -> None:
    sell(customer, graduated(goods.make_metric("payments", "sum_agg", field_name="amount")))
    response = post(api, "estimate_instant_fees", {"event": event(amount=1)})
    assert response.json()["error_details"] == {"code": ["does_not_match_an_instant_charge"]}


@pytest.mark.parametrize("path", PATHS)
def test_what_cannot_be_estimated(api: ApiClient, customer: Customer, path: str) -> None:
    sell(customer, goods.standard(goods.make_metric("payments"), "1"))
    response = post(api, path, {"event": {**event(), "external_subscription_id": "none"}})
    assert (response.status_code, response.json()["code"]) == (404, "subscription_not_found")
    for body in ({}, {"event": {}}, {"event": None}, {"event": 3}):
        assert post(api, path, body).status_code == 400
    response = post(api, path, {"event": {"external_subscription_id": "sub", "timestamp": "soon"}})
    assert response.status_code == 422
    assert response.json()["error_details"] == {"code": ["value_is_mandatory"], "timestamp": ["invalid_format"]}


def test_events_that_cannot_be_estimated_are_told_by_their_position(api: ApiClient, customer: Customer) -> None:
    sell(customer, goods.standard(goods.make_metric("payments"), "1"))
    response = post(api, "batch_estimate_instant_fees", {"events": [event(), {"code": "payments"}, 7]})
    assert response.status_code == 422
    assert response.json()["error_details"] == {
        "1": {"external_subscription_id": ["value_is_mandatory"]},
        "2": {"base": ["value_is_invalid"]},
    }
    response = post(api, "batch_estimate_instant_fees", {"events": []})
    assert response.json()["error_details"] == {"events": ["no_events"]}


def test_a_price_with_tax_is_estimated_net_and_tax(api: ApiClient, customer: Customer) -> None:
    customer.taxes.add(goods.make_tax("vat20", "0.20"))
    version = sell(customer, goods.standard(goods.make_metric("calls"), "9.99"))
    version.charges.update(tax_inclusive=True)
    for path in ("estimate_instant_fees", "estimate_fees"):
        [fee] = post(api, path, {"event": event("calls")}).json()["fees"]
        # 9.99 / 1.2 = 8.325
        assert (fee["amount_cents"], fee["taxes_amount_cents"], fee["total_amount_cents"]) == (833, 166, 999)
        assert (fee["precise_amount"], fee["precise_unit_amount"]) == (8.325, "8.325")
