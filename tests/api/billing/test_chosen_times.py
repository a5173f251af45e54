"""Chosen times, previews, purchase orders and ``If-Match`` through ``/subscriptions``."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import Subscription
from customers.models import Customer
from invoicing.models import CreditNote, Invoice
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import run
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    for code, cents in (("small", 3100), ("big", 6200)):
        goods.make_plan(code, cents=cents, pay_in_advance=True)
    return parties.make_customer(parties.make_entity())


def call(api: ApiClient, method: str, path: str, content: Any = None, *, at: str, **headers: str) -> Any:
    with time_machine.travel(instant(at), tick=False):
        return api.call(method, path, content, **headers)


def post(api: ApiClient, plan_code: str, *, at: str, **values: Any) -> Any:
    content = {"external_customer_id": "c1", "plan_code": plan_code, "external_id": "sub", **values}
    return call(api, "post", "subscriptions", {"subscription": content}, at=at)


def test_a_change_on_a_day_is_previewed_asked_for_and_called_off(api: ApiClient, customer: Customer) -> None:
    post(api, "small", at="2026-01-01")

    asked = {"change_preview": {"plan_code": "big", "change_at": "2026-01-20"}}
    told = call(api, "post", "subscriptions/sub/change_preview", asked, at="2026-01-16").json()["change_preview"]

    # 31.00 × 12 / 31 come back of the month paid in advance; 62.00 × 12 / 31 are due, then the whole of February.
    assert {name: told[name] for name in ("plan_code", "takes_effect_on", "next_billing_date")} == {
        "plan_code": "big",
        "takes_effect_on": "2026-01-20",
        "next_billing_date": "2026-02-01",
    }
    assert [row["total_amount_cents"] for row in told["credit_notes"]] == [1200]
    assert [(row["fees_amount_cents"], row["total_amount_cents"]) for row in told["invoices"]] == [(2400, 1200)]
    assert [fee["amount_cents"] for row in told["next_invoices"] for fee in row["fees"]] == [6200]
    assert told["invoices"][0]["fees"][0]["external_subscription_id"] == "sub"
    assert (Invoice.objects.count(), CreditNote.objects.count(), Subscription.objects.count()) == (1, 0, 1)
    answer = post(api, "big", at="2026-01-16", change_at="2026-01-20").json()["subscription"]
    assert (answer["plan_code"], answer["next_plan_code"], answer["downgrade_plan_date"]) == (
        "small",
        "big",
        "2026-01-20",
    )
    canceled = call(api, "delete", "subscriptions/sub?status=pending", at="2026-01-17").json()["subscription"]
    assert (canceled["status"], canceled["plan_code"]) == ("canceled", "big")


@pytest.mark.parametrize("chosen", ["2026-01-16", "2026-01-10"])
def test_a_day_that_has_come_is_refused(api: ApiClient, customer: Customer, chosen: str) -> None:
    post(api, "small", at="2026-01-01")

    refused = post(api, "big", at="2026-01-16", change_at=chosen)
    asked = {"change_preview": {"plan_code": "big", "change_at": chosen}}
    previewed = call(api, "post", "subscriptions/sub/change_preview", asked, at="2026-01-16")

    assert refused.json()["error_details"] == previewed.json()["error_details"] == {"change_at": ["invalid_date"]}
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ({"plan_code": "other"}, 404, "plan_not_found"),
        ({"plan_code": "big", "change_at": "soon"}, 422, "validation_errors"),
        ({"change_at": "now"}, 422, "validation_errors"),
    ],
)
def test_a_preview_of_nothing_is_refused(
    api: ApiClient, customer: Customer, content: dict[str, str], status: int, code: str
) -> None:
    post(api, "small", at="2026-01-01")

    refused = call(api, "post", "subscriptions/sub/change_preview", {"change_preview": content}, at="2026-01-16")

    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_an_end_on_a_day_is_previewed_asked_for_and_undone(api: ApiClient, customer: Customer) -> None:
    post(api, "small", at="2026-01-01")
    asked = {"termination_preview": {"terminate_at": "2026-01-20", "on_termination_credit_note": "offset"}}

    told = call(api, "post", "subscriptions/sub/termination_preview", asked, at="2026-01-16").json()
    now = call(api, "post", "subscriptions/sub/termination_preview", {}, at="2026-01-16").json()

    # 31.00 × 11 / 31 of the days after the 20th, or 15 / 31 of those after the 16th
    shown = told["termination_preview"]["credit_notes"][0]
    assert (shown["total_amount_cents"], shown["offset_amount_cents"]) == (1100, 1100)
    assert now["termination_preview"]["credit_notes"][0]["credit_amount_cents"] == 1500
    ended = call(api, "delete", "subscriptions/sub?terminate_at=2026-01-20", at="2026-01-16").json()["subscription"]
    assert (ended["status"], ended["ending_at"]) == ("active", "2026-01-20T23:59:59Z")
    undone = call(api, "put", "subscriptions/sub", {"subscription": {"ending_at": None}}, at="2026-01-17")
    assert undone.json()["subscription"]["ending_at"] is None
    period = call(api, "delete", "subscriptions/sub?terminate_at=period_end", at="2026-01-17").json()["subscription"]
    assert period["ending_at"] == "2026-02-01T00:00:00Z"
    refused = call(api, "delete", "subscriptions/sub?terminate_at=soon", at="2026-01-17")
    assert refused.json()["error_details"] == {"terminate_at": ["value_is_invalid"]}


def test_what_was_seen_has_to_be_so_still(api: ApiClient, customer: Customer) -> None:
    post(api, "small", at="2026-01-01")
    tag = call(api, "get", "subscriptions/sub", at="2026-01-02")["ETag"]
    run("2026-02-01")
    first = call(api, "put", "subscriptions/sub", {"subscription": {"name": "One"}}, at="2026-02-02", If_Match=tag)

    for method, content in (("put", {"subscription": {"name": "Two"}}), ("delete", None)):
        refused = call(api, method, "subscriptions/sub", content, at="2026-02-03", If_Match=tag)
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")

    row = Subscription.objects.get()
    assert (first.status_code, row.name, row.status) == (200, "One", "active")
    done = call(api, "delete", "subscriptions/sub", at="2026-02-03", If_Match=first["ETag"])
    assert done.json()["subscription"]["status"] == "terminated"


def test_purchase_order_and_shared_invoices_are_told_and_changed(api: ApiClient, customer: Customer) -> None:
    first = post(api, "small", at="2026-01-01", purchase_order_number="PO-1", consolidate_invoice=False).json()
    kept = post(api, "big", at="2026-01-16").json()["subscription"]
    changed = call(
        api,
        "put",
        "subscriptions/sub",
        {"subscription": {"purchase_order_number": "", "consolidate_invoice": True}},
        at="2026-01-17",
    ).json()["subscription"]

    told = [
        (row["purchase_order_number"], row["consolidate_invoice"]) for row in (first["subscription"], kept, changed)
    ]
    assert told == [("PO-1", False), ("PO-1", False), (None, True)]
    invoices = call(api, "get", "invoices?purchase_order_number=PO-1", at="2026-01-17").json()["invoices"]
    assert len(invoices) == 2
    run("2026-02-01")
    assert sorted(Invoice.objects.values_list("purchase_order_number", flat=True)) == ["", "PO-1", "PO-1"]
