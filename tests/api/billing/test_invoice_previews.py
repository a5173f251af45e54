"""Previews of invoices and adjusted fees over the API: as they would be billed, and nothing stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from billing.models import AdjustedLine, Subscription
from billing.services import runs
from catalog.models import Charge, Coupon
from customers.models import Customer
from invoicing.api.preview_shapes import NO_ID
from invoicing.models import Invoice, LedgerEntry
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 16, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    entity = parties.make_entity(taxes=[parties.make_tax("t", "0.20")], is_default=True)
    metric = goods.make_metric("requests")
    arrears = goods.make_plan("arrears", cents=3100, charges=[goods.standard(metric, "0.10")])
    goods.make_plan("advance", cents=6200, pay_in_advance=True)
    found = parties.make_customer(entity, slug="ACME-900")
    made.make_subscription(found, arrears, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10")
    return found


def preview(api: ApiClient, **body: Any) -> dict[str, Any]:
    answer = api.call("post", "invoices/preview", body)
    assert answer.status_code == 200, answer.json()
    return answer.json()["invoice"]


def unchanged() -> tuple[int, ...]:
    rows = (Invoice, Customer, Subscription, Coupon, LedgerEntry)
    return tuple(model.objects.count() for model in rows)


def test_a_new_contract(api: ApiClient, customer: Customer) -> None:
    before = unchanged()

    shown = preview(
        api,
        plan_code="advance",
        customer={"name": "Guest", "currency": "EUR"},
        coupons=[
            {"code": "half", "coupon_type": "percentage", "percentage_rate": "50", "frequency": "once", "name": "Half"}
        ],
    )

    # 62.00 × 16 / 31 days, half of it, and 20 %
    assert (shown["fees_amount_cents"], shown["coupons_amount_cents"], shown["total_amount_cents"]) == (
        3200,
        1600,
        1920,
    )
    assert (shown["lago_id"], shown["status"], shown["number"]) == (NO_ID, "draft", "ACME-DRAFT")
    assert (shown["customer"]["name"], shown["customer"]["external_id"]) == ("Guest", "")
    assert {fee["lago_id"] for fee in shown["fees"]} == {None}
    assert unchanged() == before


def test_a_plan_in_arrears_is_billed_at_the_end_of_its_period(api: ApiClient, customer: Customer) -> None:
    body = {"plan_code": "arrears", "customer": {"external_id": "c1"}, "billing_time": "anniversary"}
    shown = preview(api, **body)
    assert (shown["fees_amount_cents"], shown["issuing_date"]) == (3100, "2026-02-16")
    assert shown["customer"]["external_id"] == "c1"


def test_the_next_renewal_a_change_and_an_end(api: ApiClient, customer: Customer) -> None:
    before = unchanged()

    renewal = preview(api, subscriptions={"external_ids": ["sub"]})
    change = preview(api, subscriptions={"external_ids": ["sub"], "plan_code": "advance"})
    end = preview(api, subscriptions={"external_ids": ["sub"], "terminated_at": "2026-01-20T00:00:00Z"})

    assert (renewal["fees_amount_cents"], renewal["issuing_date"]) == (3110, "2026-02-01")
    assert {fee["item"]["code"] for fee in change["fees"]} == {"arrears", "advance", "requests"}
    assert end["fees_amount_cents"] == 2010  # 20 days of 31, and one request
    assert renewal["subscriptions"][0]["external_id"] == "sub"
    assert unchanged() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"plan_code": "none", "customer": {"external_id": "c1"}}, 404),
        ({"plan_code": "advance", "customer": {"external_id": "nobody"}}, 404),
        ({"subscriptions": {"external_ids": ["nobody"]}}, 404),
        ({"subscriptions": {"external_ids": []}}, 422),
        ({"plan_code": "advance", "customer": {"external_id": "c1"}, "coupons": "x"}, 400),
        ({"plan_code": "advance", "customer": {"external_id": "c1"}, "coupons": [{"code": "none"}]}, 404),
        ({"plan_code": "advance", "customer": {"name": "x", "timezone": "Moon/Base"}}, 422),
        (
            {
                "subscriptions": {
                    "external_ids": ["sub"],
                    "plan_code": "advance",
                    "terminated_at": "2026-01-20T00:00:00Z",
                }
            },
            422,
        ),
    ],
)
def test_previews_that_do_not_fit(api: ApiClient, customer: Customer, body: dict[str, Any], status: int) -> None:
    before = unchanged()
    assert api.call("post", "invoices/preview", body).status_code == status
    assert unchanged() == before


def test_fees_of_a_draft_are_adjusted(api: ApiClient, customer: Customer) -> None:
    Customer.objects.update(invoice_grace_period=5)
    with time_machine.travel(instant("2026-02-01T01:00"), tick=False):
        runs.run(as_of=instant("2026-02-01T01:00"), trigger="test", actor=ACTOR)
        draft = Invoice.objects.get()
        fee = draft.lines.get(kind="charge")
        body = {"adjustment": {"units": "20", "invoice_display_name": "Calls", "reason": "agreed"}}

        shown = api.call("put", f"fees/{fee.uuid}/adjustment", body).json()["fee"]

        assert (shown["amount_cents"], shown["units"], shown["item"]["invoice_display_name"]) == (200, "20.0", "Calls")
        assert shown["lago_charge_id"] == str(Charge.objects.get().key)
        again = api.call("delete", f"fees/{shown['lago_id']}/adjustment").json()["fee"]
        assert (again["amount_cents"], AdjustedLine.objects.count()) == (10, 0)
        body = {
            "adjustment": {"units": "1", "external_subscription_id": "sub", "lago_charge_id": shown["lago_charge_id"]}
        }
        answer = api.call("post", f"invoices/{draft.uuid}/adjustments", body)
        assert (answer.status_code, answer.json()["error_details"]) == (422, {"charge": ["value_already_exist"]})
