"""Coupons over the API: by themselves, with customers, and on invoices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from catalog.models import BillableMetric, Coupon, Plan
from config.kernel import jobs
from customers.models import AppliedCoupon, Customer
from customers.services import coupons, customers
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

TEN: dict[str, Any] = {
    "name": "Ten off",
    "code": "ten",
    "description": "",
    "coupon_type": "fixed_amount",
    "amount_cents": 1000,
    "amount_currency": "EUR",
    "frequency": "once",
    "expiration": "no_expiration",
    "expiration_at": None,
    "reusable": True,
}
TENTH = {**TEN, "code": "tenth", "coupon_type": "percentage", "amount_cents": None, "percentage_rate": "10.5"}


@pytest.fixture(autouse=True)
def _first_of_may() -> Iterator[None]:
    with time_machine.travel(make.AT, tick=False):
        yield


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity())


def make_coupon(api: ApiClient, **values: Any) -> dict[str, Any]:
    answer = api.call("post", "coupons", {"coupon": {**TEN, **values}})
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()["coupon"]
    return found


def give(api: ApiClient, code: str = "ten", customer: str = "c1", **values: Any) -> Any:
    return api.call(
        "post", "applied_coupons", {"applied_coupon": {"external_customer_id": customer, "coupon_code": code, **values}}
    )


def refusal(answer: Any) -> tuple[int, str, Any]:
    content = answer.json()
    return answer.status_code, content.get("code", ""), content.get("error_details")


def test_a_coupon_is_made_shown_changed_and_retired(api: ApiClient) -> None:
    made = make_coupon(api)
    created = {key: made.pop(key) for key in ("lago_id", "created_at")}

    assert made == {
        "name": "Ten off",
        "code": "ten",
        "description": None,
        "coupon_type": "fixed_amount",
        "amount_cents": 1000,
        "amount_currency": "EUR",
        "percentage_rate": None,
        "frequency": "once",
        "frequency_duration": None,
        "reusable": True,
        "limited_plans": False,
        "limited_billable_metrics": False,
        "plan_codes": [],
        "billable_metric_codes": [],
        "expiration": "no_expiration",
        "expiration_at": None,
        "terminated_at": None,
    }
    assert api.read("coupons/ten").json()["coupon"] == {**made, **created}
    assert [one["code"] for one in api.read("coupons").json()["coupons"]] == ["ten"]
    changed = api.call("put", "coupons/ten", {"coupon": {"coupon_type": "percentage", "percentage_rate": 12.5}})
    assert changed.status_code == 200, changed.json()
    assert changed.json()["coupon"]["percentage_rate"] == "12.5"
    assert (changed.json()["coupon"]["amount_cents"], changed.json()["coupon"]["amount_currency"]) == (None, None)
    assert api.call("delete", "coupons/ten").json()["coupon"]["terminated_at"] is not None
    assert refusal(api.read("coupons/ten")) == (404, "coupon_not_found", None)
    assert make_coupon(api)["code"] == "ten"  # the code is free again


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"amount_cents": 0}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_currency": "XXX"}, {"amount_currency": ["value_is_invalid"]}),
        ({"amount_currency": None}, {"amount_currency": ["value_is_mandatory"]}),
        ({"percentage_rate": 10}, {"percentage_rate": ["coupon_type_does_not_match"]}),
        ({"coupon_type": "gift"}, {"coupon_type": ["value_is_invalid"]}),
        ({"coupon_type": "percentage", "amount_cents": None}, {"percentage_rate": ["value_is_mandatory"]}),
        (
            {"coupon_type": "percentage", "amount_cents": None, "percentage_rate": 0},
            {"percentage_rate": ["value_is_out_of_range"]},
        ),
        (
            {"coupon_type": "percentage", "amount_cents": None, "percentage_rate": 101},
            {"percentage_rate": ["value_is_out_of_range"]},
        ),
        ({"frequency": "recurring"}, {"frequency_duration": ["value_is_mandatory"]}),
        ({"frequency": "recurring", "frequency_duration": 0}, {"frequency_duration": ["value_is_out_of_range"]}),
        ({"expiration": "time_limit"}, {"expiration_at": ["invalid_date"]}),
        ({"expiration": "time_limit", "expiration_at": "2020-01-01T00:00:00Z"}, {"expiration_at": ["invalid_date"]}),
        ({"name": ""}, {"name": ["value_is_mandatory"]}),
    ],
)
def test_what_a_coupon_cannot_be(api: ApiClient, values: dict[str, Any], details: dict[str, Any]) -> None:
    answer = api.call("post", "coupons", {"coupon": {**TEN, **values}})

    assert refusal(answer) == (422, "validation_errors", details)
    assert not Coupon.objects.exists()


def test_a_coupon_is_limited_to_plans_or_to_metrics(api: ApiClient) -> None:
    Plan.objects.create(code="pro", name="Pro")
    BillableMetric.objects.create(code="calls", name="Calls", aggregation_type="count_agg")

    made = make_coupon(api, applies_to={"plan_codes": ["pro"]})

    assert (made["limited_plans"], made["plan_codes"], made["limited_billable_metrics"]) == (True, ["pro"], False)
    other = {**TEN, "code": "other"}
    for limits, expected in (
        (
            {"plan_codes": ["pro"], "billable_metric_codes": ["calls"]},
            (405, "only_one_limitation_type_per_coupon_allowed", None),
        ),
        ({"plan_codes": ["none"]}, (404, "plans_not_found", None)),
        ({"billable_metric_codes": ["none"]}, (404, "billable_metrics_not_found", None)),
    ):
        assert refusal(api.call("post", "coupons", {"coupon": {**other, "applies_to": limits}})) == expected
    both = api.call("put", "coupons/ten", {"coupon": {"applies_to": {"billable_metric_codes": ["calls"]}}})
    assert refusal(both) == (405, "only_one_limitation_type_per_coupon_allowed", None)
    moved = api.call(
        "put", "coupons/ten", {"coupon": {"applies_to": {"plan_codes": [], "billable_metric_codes": ["calls"]}}}
    )
    assert moved.json()["coupon"]["billable_metric_codes"] == ["calls"]
    assert moved.json()["coupon"]["plan_codes"] == []


def test_what_somebody_has_keeps_its_terms(api: ApiClient, customer: Customer) -> None:
    make_coupon(api)
    assert give(api).status_code == 200

    same = api.call("put", "coupons/ten", {"coupon": {**TEN, "name": "New", "description": "Why"}})
    other = api.call("put", "coupons/ten", {"coupon": {"amount_cents": 1, "frequency": "forever", "code": "new"}})

    assert (same.status_code, same.json()["coupon"]["name"]) == (200, "New")
    kept = ["modification_not_allowed"]
    assert refusal(other) == (422, "validation_errors", {"amount_cents": kept, "code": kept, "frequency": kept})


def test_a_customer_gets_a_coupon(api: ApiClient, customer: Customer) -> None:
    coupon = make_coupon(api)

    content = give(api).json()["applied_coupon"]

    stored = AppliedCoupon.objects.get()
    assert {key: content.pop(key) for key in ("lago_id", "created_at")}["lago_id"] == str(stored.uuid)
    assert content == {
        "lago_coupon_id": coupon["lago_id"],
        "coupon_code": "ten",
        "coupon_name": "Ten off",
        "coupon_description": None,
        "coupon_status": "active",
        "coupon_deleted_at": None,
        "lago_customer_id": str(customer.uuid),
        "external_customer_id": "c1",
        "status": "active",
        "amount_cents": 1000,
        "amount_cents_remaining": 1000,
        "amount_currency": "EUR",
        "percentage_rate": None,
        "frequency": "once",
        "frequency_duration": None,
        "frequency_duration_remaining": None,
        "expiration_at": None,
        "terminated_at": None,
    }
    customer.refresh_from_db()
    assert customer.currency == "EUR"
    own = give(api, amount_cents=300, frequency="recurring", frequency_duration=2).json()["applied_coupon"]
    assert (own["amount_cents"], own["amount_cents_remaining"], own["frequency_duration_remaining"]) == (300, None, 2)


def test_who_does_not_get_a_coupon(api: ApiClient, customer: Customer) -> None:
    Plan.objects.create(code="pro", name="Pro")
    make_coupon(api, reusable=False)
    make_coupon(api, code="dollars", amount_currency="USD")
    make_coupon(api, code="pro1", applies_to={"plan_codes": ["pro"]})
    make_coupon(api, code="pro2", applies_to={"plan_codes": ["pro"]})
    make_coupon(api, code="ended")
    api.call("post", "coupons", {"coupon": TENTH})
    coupons.terminate(code="ended", actor=make.ACTOR, at=make.AT)
    assert give(api).status_code == give(api, "pro1").status_code == 200

    invalid = (422, "validation_errors")
    assert refusal(give(api, customer="nobody")) == (404, "customer_not_found", None)
    assert refusal(give(api, "nothing")) == (404, "coupon_not_found", None)
    assert refusal(give(api, "ended")) == (404, "coupon_not_found", None)
    assert refusal(give(api)) == (*invalid, {"coupon": ["coupon_is_not_reusable"]})
    assert refusal(give(api, "pro2")) == (405, "plan_overlapping", None)
    assert refusal(give(api, "dollars")) == (*invalid, {"currency": ["currencies_does_not_match"]})
    assert refusal(give(api, "tenth", amount_cents=5)) == (*invalid, {"amount_cents": ["coupon_type_does_not_match"]})
    assert refusal(give(api, "tenth", frequency="recurring")) == (
        *invalid,
        {"frequency_duration": ["value_is_mandatory"]},
    )
    assert refusal(give(api, "dollars", amount_currency="EUR")) == (*invalid, {"amount_cents": ["value_is_mandatory"]})
    assert AppliedCoupon.objects.count() == 2


def test_lists_and_taking_off(api: ApiClient, customer: Customer, django_assert_max_num_queries: Any) -> None:
    make_coupon(api, frequency="forever")
    api.call("post", "coupons", {"coupon": TENTH})
    first = give(api).json()["applied_coupon"]
    give(api, "tenth")
    invoice = make.issue(customer, "100.00")

    def codes(path: str) -> list[str]:
        return [one["coupon_code"] for one in api.read(path).json()["applied_coupons"]]

    with django_assert_max_num_queries(9):
        rows = api.read("applied_coupons").json()["applied_coupons"]
    # The first applied goes first: 10.00, then 10.5 % of 90.00
    assert [(one["coupon_code"], one["status"], [use["amount_cents"] for use in one["credits"]]) for one in rows] == [
        ("tenth", "terminated", [945]),
        ("ten", "active", [1000]),
    ]
    assert rows[1]["credits"][0]["invoice"]["lago_id"] == str(invoice.uuid)
    assert codes("applied_coupons?status=active") == ["ten"]
    assert codes("applied_coupons?coupon_code[]=tenth") == ["tenth"]
    assert codes("applied_coupons?external_customer_id=other") == []
    assert codes("customers/c1/applied_coupons?status=terminated") == ["tenth"]
    assert refusal(api.read("customers/nobody/applied_coupons")) == (404, "customer_not_found", None)
    gone = api.call("delete", f"customers/c1/applied_coupons/{first['lago_id']}")
    assert (gone.status_code, gone.json()["applied_coupon"]["status"]) == (200, "terminated")
    assert refusal(api.call("delete", "customers/c1/applied_coupons/none")) == (404, "applied_coupon_not_found", None)


def test_an_invoice_tells_its_coupons(api: ApiClient, customer: Customer) -> None:
    make_coupon(api)
    give(api)
    invoice = make.issue(customer, "20.00", "10.00")

    content = api.read(f"invoices/{invoice.uuid}").json()["invoice"]

    assert (content["fees_amount_cents"], content["coupons_amount_cents"]) == (3000, 1000)
    assert content["sub_total_excluding_taxes_amount_cents"] == content["total_amount_cents"] == 2000
    (credit,) = content["credits"]
    assert (credit["amount_cents"], credit["before_taxes"]) == (1000, True)
    assert {key: credit["item"][key] for key in ("type", "code", "name")} == {
        "type": "coupon",
        "code": "ten",
        "name": "Ten off",
    }
    # 10.00 × 20/30 and 10/30
    assert [
        (
            fee["precise_coupons_amount_cents"],
            fee["sub_total_excluding_taxes_amount_cents"],
            fee["sub_total_excluding_taxes_precise_amount_cents"],
        )
        for fee in content["fees"]
    ] == [("666.66667", 1333, "1333.33333"), ("333.33333", 667, "666.66667")]


def test_what_ends_takes_its_coupons_along(api: ApiClient, customer: Customer) -> None:
    soon = make.AT + timedelta(days=1)
    make_coupon(api, code="retired")
    make_coupon(api, code="over", expiration="time_limit", expiration_at="2199-01-01")
    make_coupon(api, code="kept")
    for code in ("retired", "over", "kept"):
        assert give(api, code).status_code == 200
    Coupon.objects.filter(code="over").update(expires_at=soon)

    api.call("delete", "coupons/retired")
    api_job = [jobs.run("coupons", as_of=soon) for _ in range(2)]

    assert api_job == [1, 0]
    ends = dict(AppliedCoupon.objects.values_list("coupon__code", "ended_by"))
    assert ends == {"retired": "removal", "over": "expiry", "kept": ""}
    customers.delete(external_id="c1", actor=make.ACTOR, at=soon)
    assert AppliedCoupon.objects.get(coupon__code="kept").ended_by == "removal"
