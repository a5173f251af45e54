"""``/subscriptions/:external_id/fixed_charges`` and fixed charges on fees and invoices."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import FixedChargeUnits
from billing.services import runs
from catalog.models import PlanVersion
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import catalog as goods
from tests.factories import fixed
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db

PATH = "subscriptions/sub/fixed_charges"


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def plan() -> PlanVersion:
    seats = fixed.standard(fixed.make_add_on("seat"), code="seats", pay_in_advance=True, invoice_display_name="Seats")
    support = fixed.standard(fixed.make_add_on("support"), "1", "50", code="support")
    return goods.make_plan("pro", cents=0, fixed_charges=[seats, support])


def call(api: ApiClient, method: str, path: str, content: Any = None, *, at: str = "2026-03-06") -> Any:
    with time_machine.travel(instant(at), tick=False):
        return api.call(method, path, content)


def begin(api: ApiClient, **values: Any) -> Any:
    content = {"external_customer_id": "c1", "plan_code": "pro", "external_id": "sub", **values}
    return call(api, "post", "subscriptions", {"subscription": content}, at="2026-03-01")


def put(api: ApiClient, code: str = "seats", **values: Any) -> Any:
    return call(api, "put", f"{PATH}/{code}", {"fixed_charge": values})


def test_they_are_listed_with_the_subscriptions_own_units(
    api: ApiClient, customer: Customer, plan: PlanVersion
) -> None:
    assert begin(api).status_code == 200
    assert put(api, "support", units="3", apply_units_immediately=True).status_code == 200

    found = call(api, "get", PATH).json()["fixed_charges"]
    assert [(row["code"], row["units"], row["add_on_code"]) for row in found] == [
        ("seats", "10.0", "seat"),
        ("support", "3.0", "support"),
    ]
    one = call(api, "get", f"{PATH}/support").json()["fixed_charge"]
    assert one == found[1]
    assert one["lago_id"] == str(plan.fixed_charges.get(code="support").key)
    # In arrears: nothing is billed for it now.
    assert Invoice.objects.count() == 1


def test_more_units_now_are_on_an_invoice_with_all_that_a_fee_tells(
    api: ApiClient, customer: Customer, plan: PlanVersion
) -> None:
    begin(api)
    answer = put(api, units=15, apply_units_immediately=True)
    assert answer.json()["fixed_charge"]["units"] == "15.0"

    invoice = Invoice.objects.order_by("-pk")[0]
    content = call(api, "get", f"invoices/{invoice.uuid}").json()["invoice"]
    (fee,) = content["fees"]
    assert (content["fees_amount_cents"], content["status"], content["invoice_type"]) == (
        5000,
        "finalized",
        "subscription",
    )
    seats = plan.fixed_charges.get(code="seats")
    assert {key: fee["item"][key] for key in ("type", "code", "name", "invoice_display_name", "item_type")} == {
        "type": "fixed_charge",
        "code": "seat",
        "name": "Seat",
        "invoice_display_name": "Seats",
        "item_type": "AddOn",
    }
    assert fee["item"]["lago_item_id"] == str(seats.add_on.uuid)
    assert (fee["lago_fixed_charge_id"], fee["lago_charge_id"]) == (str(seats.key), None)
    assert (fee["units"], fee["amount_cents"], fee["precise_unit_amount"]) == ("5.0", 5000, "10.0")
    assert (fee["pay_in_advance"], fee["from_date"], fee["to_date"]) == (
        True,
        "2026-03-06T00:00:00Z",
        "2026-03-31T23:59:59Z",
    )
    (period,) = content["billing_periods"]
    assert period["invoicing_reason"] == "in_advance_charge"
    told = call(api, "get", f"fees/{fee['lago_id']}/trace").json()["fee_trace"]
    assert told["verification"]["verified"] is True
    assert told["worked_sum"][0]["formula"] == "15 − 10"
    listed = call(api, "get", "fees?fee_type=fixed_charge&external_subscription_id=sub").json()["fees"]
    assert [row["amount_cents"] for row in listed] == [10000, 5000]


def test_the_time_of_fixed_charges_is_told_with_the_period(
    api: ApiClient, customer: Customer, plan: PlanVersion
) -> None:
    begin(api)
    runs.run(as_of=instant("2026-04-01T00:10"), trigger="test", actor=ACTOR)
    invoice = Invoice.objects.order_by("-pk")[0]
    (period,) = call(api, "get", f"invoices/{invoice.uuid}").json()["invoice"]["billing_periods"]
    assert (period["fixed_charges_from_datetime"], period["fixed_charges_to_datetime"]) == (
        "2026-03-01T00:00:00Z",
        "2026-03-31T23:59:59Z",
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"apply_units_immediately": True}, "value_is_mandatory"),
        ({"units": None}, "value_is_mandatory"),
        ({"units": "-1"}, "value_is_out_of_range"),
        ({"units": "1e3"}, "invalid"),
        ({"units": True}, "invalid"),
        ({"units": "5", "properties": {"amount": "-1"}}, "invalid_amount"),
    ],
)
def test_refusals(api: ApiClient, customer: Customer, plan: PlanVersion, content: dict[str, Any], code: str) -> None:
    begin(api)
    answer = put(api, **content)
    assert answer.status_code == 422
    assert code in str(answer.json()["error_details"])
    assert FixedChargeUnits.objects.count() == 2


def test_what_is_not_there_is_not_found(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    begin(api)
    assert put(api, "nothing", units="5").json()["code"] == "fixed_charge_not_found"
    assert call(api, "get", f"{PATH}/nothing").status_code == 404
    assert call(api, "get", "subscriptions/other/fixed_charges").json()["code"] == "subscription_not_found"


def test_a_subscription_agrees_on_units_at_its_start(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    key = str(plan.fixed_charges.get(code="seats").key)
    answer = begin(api, plan_overrides={"fixed_charges": [{"id": key, "units": "2"}]})
    assert answer.status_code == 200
    assert fixed.billed(customer) == [("2026-03-01", "2", "20")]
    # The same again is the same.
    begin(api, plan_overrides={"fixed_charges": [{"id": key, "units": "2"}]})
    assert fixed.billed(customer) == [("2026-03-01", "2", "20")]


def test_a_fixed_charge_that_the_plan_does_not_have_is_not_found(
    api: ApiClient, customer: Customer, plan: PlanVersion
) -> None:
    key = "00000000-0000-4000-8000-000000000000"
    refused = begin(api, plan_overrides={"fixed_charges": [{"id": key, "units": "2"}]})
    assert (refused.status_code, refused.json()["code"]) == (404, "fixed_charge_not_found")
    assert begin(api, plan_overrides={"fixed_charges": "all"}).status_code == 422
    assert FixedChargeUnits.objects.count() == 0
