"""Changes of plan through ``/subscriptions``: what is answered, what can be asked for, and ends with a credit."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import Subscription
from catalog.models import PlanVersion
from customers.models import Customer
from invoicing.models import CreditNote
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

_NAMES = ("plan_code", "status", "previous_plan_code", "next_plan_code", "downgrade_plan_date")


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    for code, cents in (("small", 3100), ("big", 6200)):
        goods.make_plan(code, cents=cents, pay_in_advance=True)
    return parties.make_customer(parties.make_entity())


def call(api: ApiClient, method: str, path: str, content: Any = None, *, at: str) -> Any:
    with time_machine.travel(instant(at), tick=False):
        return api.call(method, path, content)


def post(api: ApiClient, plan_code: str, *, at: str, **values: Any) -> Any:
    content = {"external_customer_id": "c1", "plan_code": plan_code, "external_id": "sub", **values}
    return call(api, "post", "subscriptions", {"subscription": content}, at=at)


def told(found: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(found[name] for name in _NAMES)


def test_an_upgrade_answers_with_the_new_plan(api: ApiClient, customer: Customer) -> None:
    first = post(api, "small", at="2026-01-01").json()["subscription"]
    second = post(api, "big", at="2026-01-16").json()["subscription"]

    assert told(second) == ("big", "active", "small", None, None)
    assert (second["subscription_at"], second["started_at"]) == (first["subscription_at"], "2026-01-16T00:00:00.000Z")
    old = call(api, "get", "subscriptions/sub?status=terminated", at="2026-01-16").json()["subscription"]
    assert told(old) == ("small", "terminated", None, "big", None)
    (_, invoice) = sorted(
        call(api, "get", "invoices", at="2026-01-16").json()["invoices"], key=lambda row: row["sequential_id"]
    )
    # 62.00 × 16 / 31, less 31.00 × 16 / 31
    assert (invoice["fees_amount_cents"], invoice["credit_notes_amount_cents"], invoice["total_amount_cents"]) == (
        3200,
        1600,
        1600,
    )


def test_a_downgrade_answers_with_the_current_plan(api: ApiClient, customer: Customer) -> None:
    post(api, "big", at="2026-01-01")

    answer = post(api, "small", at="2026-01-16").json()["subscription"]

    assert told(answer) == ("big", "active", None, "small", "2026-02-01")
    waiting = call(api, "get", "subscriptions/sub?status=pending", at="2026-01-16").json()["subscription"]
    assert told(waiting) == ("small", "pending", "big", None, None)
    listed = call(api, "get", "subscriptions", at="2026-01-16").json()["subscriptions"]
    assert [told(row) for row in listed] == [told(answer)]
    canceled = call(api, "delete", "subscriptions/sub?status=pending", at="2026-01-17").json()["subscription"]
    assert (canceled["status"], canceled["plan_code"]) == ("canceled", "small")
    after = call(api, "get", "subscriptions/sub", at="2026-01-17").json()["subscription"]
    assert told(after) == ("big", "active", None, None, None)


def test_what_cannot_be_changed_is_refused(api: ApiClient, customer: Customer) -> None:
    post(api, "small", at="2026-01-01")
    parties.make_customer(customer.billing_entity, "c2")

    taken = post(api, "big", at="2026-01-16", external_customer_id="c2")
    unknown = post(api, "other", at="2026-01-16")
    ended = post(api, "big", at="2026-01-16", ending_at="2026-01-10T00:00:00Z")

    assert taken.json()["error_details"] == {"external_id": ["value_already_exist"]}
    assert (unknown.status_code, unknown.json()["code"]) == (404, "plan_not_found")
    assert ended.json()["error_details"] == {"ending_at": ["invalid_date"]}
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(("option", "ways"), [("credit", (15, 0, 0)), ("offset", (0, 0, 15)), ("skip", None)])
def test_an_end_gives_back_as_it_is_told(
    api: ApiClient, customer: Customer, option: str, ways: tuple[int, ...] | None
) -> None:
    post(api, "small", at="2026-01-01")

    found = call(api, "delete", f"subscriptions/sub?on_termination_credit_note={option}", at="2026-01-16")

    assert found.json()["subscription"]["on_termination_credit_note"] == option
    notes = [
        (note.credit_amount.amount, note.refund_amount.amount, note.offset_amount.amount)
        for note in CreditNote.objects.all()
    ]
    assert notes == ([] if ways is None else [ways])


def test_what_was_agreed_is_kept_and_used(api: ApiClient, customer: Customer) -> None:
    post(api, "small", at="2026-01-01", ending_at="2026-06-01T00:00:00Z")
    changed = call(
        api, "put", "subscriptions/sub", {"subscription": {"on_termination_credit_note": "skip"}}, at="2026-01-02"
    )
    assert changed.json()["subscription"]["on_termination_credit_note"] == "skip"

    call(api, "delete", "subscriptions/sub", at="2026-01-16")

    assert not CreditNote.objects.exists()
    refused = call(api, "delete", "subscriptions/sub?on_termination_credit_note=all", at="2026-01-16")
    assert refused.status_code in (404, 422)


def test_a_list_tells_the_changes(api: ApiClient, customer: Customer) -> None:
    plans = {row.plan.code: row for row in PlanVersion.objects.select_related("plan")}
    for number in range(3):
        for code, at in (("big", "2026-01-01"), ("small", "2026-01-02")):
            made.make_subscription(customer, plans[code], f"s{number}", at=instant(at))

    listed = call(api, "get", "subscriptions", at="2026-01-16").json()["subscriptions"]

    assert [told(row)[3:] for row in listed] == [("small", "2026-02-01")] * 3
