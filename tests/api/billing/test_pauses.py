"""``POST /subscriptions/:id/pause`` and ``…/resume``: what is answered, found and refused."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import Subscription
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

SUB = "subscriptions/sub"


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    customer = parties.make_customer(parties.make_entity())
    plan = goods.make_plan("gym", cents=3100, charges=[goods.standard(goods.make_metric())])
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    return customer


def call(api: ApiClient, method: str, path: str, content: Any = None, *, at: str) -> Any:
    with time_machine.travel(instant(at), tick=False):
        return api.call(method, path, content)


def told(answer: Any) -> tuple[Any, ...]:
    assert answer.status_code == 200, answer.content
    found = answer.json()["subscription"]
    return tuple(found[name] for name in ("status", "paused_at", "pause_fee", "resume_on"))


def test_a_subscription_is_paused_and_resumed(api: ApiClient, customer: Customer) -> None:
    content = {"fee": "prorated", "resume_on": "2026-02-01"}
    paused = ("paused", "2026-01-10T12:00:00Z", "prorated", "2026-02-01")

    answer = call(api, "post", f"{SUB}/pause", content, at="2026-01-10T12:00")
    assert told(answer) == paused
    # It is what is found under the id from now on.
    assert told(call(api, "get", SUB, at="2026-01-11")) == paused
    listed = call(api, "get", "subscriptions?status[]=paused", at="2026-01-11").json()["subscriptions"]
    assert [row["external_id"] for row in listed] == ["sub"]
    before = call(api, "get", f"{SUB}?status=terminated", at="2026-01-11").json()["subscription"]
    assert (before["terminated_at"], before["paused_at"]) == ("2026-01-10T12:00:00Z", None)

    answer = call(api, "post", f"{SUB}/resume", at="2026-01-20")
    assert told(answer) == ("active", None, None, None)
    assert answer.json()["subscription"]["started_at"] == "2026-01-20T00:00:00.000Z"
    assert told(call(api, "get", SUB, at="2026-01-21"))[0] == "active"


def test_a_paused_subscription_is_ended(api: ApiClient, customer: Customer) -> None:
    call(api, "post", f"{SUB}/pause", {"fee": "whole"}, at="2026-01-10")

    answer = call(api, "delete", SUB, at="2026-01-11")

    assert told(answer)[0] == "canceled"
    assert call(api, "get", SUB, at="2026-01-11").status_code == 404


def test_usage_of_a_paused_subscription_is_taken_and_not_shown_as_current(api: ApiClient, customer: Customer) -> None:
    call(api, "post", f"{SUB}/pause", {"fee": "whole"}, at="2026-01-10")
    event = {"transaction_id": "t1", "external_subscription_id": "sub", "code": "requests"}

    assert call(api, "post", "events", {"event": event}, at="2026-01-11").status_code == 200

    usage = call(api, "get", "customers/c1/current_usage?external_subscription_id=sub", at="2026-01-11")
    assert (usage.status_code, usage.json()["code"]) == (405, "no_active_subscription")


@pytest.mark.parametrize(
    ("content", "details"),
    [
        ({}, {"fee": ["value_is_mandatory"]}),
        ({"fee": "half"}, {"fee": ["value_is_invalid"]}),
        ({"fee": "whole", "resume_on": "2026-01-10"}, {"resume_on": ["invalid_date"]}),
        ({"fee": "whole", "resume_on": "soon"}, {"resume_on": ["value_is_invalid"]}),
    ],
)
def test_what_is_refused(
    api: ApiClient, customer: Customer, content: dict[str, Any], details: dict[str, list[str]]
) -> None:
    answer = call(api, "post", f"{SUB}/pause", content, at="2026-01-10")

    assert answer.status_code == 422
    assert answer.json()["error_details"] == details
    assert Subscription.objects.get().status == "active"


def test_states_refuse(api: ApiClient, customer: Customer) -> None:
    refused = call(api, "post", f"{SUB}/resume", at="2026-01-10")
    assert (refused.status_code, refused.json()["code"]) == (405, "invalid_status")

    call(api, "post", f"{SUB}/pause", {"fee": "whole"}, at="2026-01-10")
    refused = call(api, "post", f"{SUB}/pause", {"fee": "whole"}, at="2026-01-10")
    assert (refused.status_code, refused.json()["code"]) == (405, "invalid_status")

    assert call(api, "post", "subscriptions/none/pause", {"fee": "whole"}, at="2026-01-10").status_code == 404
    assert Subscription.objects.count() == 2
