"""What webhook endpoints are told of the catalogue: exactly what happened, and each object as a GET answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from catalog.domain import publications
from catalog.services import plans, versions
from config.platform.models import WebhookEvent
from tests.factories import catalog as goods
from tests.factories.listening import Told
from tests.factories.platform import ACTOR, AT, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def told() -> Told:
    return Told("billable_metric.", "plan.", "feature.")


def call(api: ApiClient, method: str, path: str, content: Any = None) -> None:
    assert api.call(method, path, content).status_code == 200


METRIC = {"name": "Calls", "code": "calls", "aggregation_type": "count_agg"}
FEATURE = {"code": "seats", "name": "Seats", "privileges": [{"code": "max", "value_type": "integer"}]}
PLAN = {"name": "Basic", "code": "basic", "interval": "monthly", "amount_cents": 900, "amount_currency": "EUR"}
Step = tuple[str, str, Any, list[str]]
STORIES: dict[str, list[Step]] = {
    "billable_metric": [
        ("post", "billable_metrics", {"billable_metric": METRIC}, ["created"]),
        ("put", "billable_metrics/calls", {"billable_metric": {"name": "All calls"}}, ["updated"]),
        ("put", "billable_metrics/calls", {"billable_metric": {"name": "All calls"}}, []),
        ("delete", "billable_metrics/calls", None, ["deleted"]),
    ],
    "feature": [
        ("post", "features", {"feature": FEATURE}, ["created"]),
        ("put", "features/seats", {"feature": {"name": "Places"}}, ["updated"]),
        ("put", "features/seats", {"feature": {"name": "Places"}}, []),
        ("delete", "features/seats/privileges/max", None, ["updated"]),
        ("delete", "features/seats", None, ["deleted"]),
    ],
    "plan": [
        ("post", "plans", {"plan": PLAN}, ["created"]),
        # Another name and another price are one change.
        ("put", "plans/basic", {"plan": {"name": "Base", "amount_cents": 1000}}, ["updated"]),
        ("put", "plans/basic", {"plan": {"name": "Base", "amount_cents": 1000}}, []),
        ("put", "plans/basic", {"plan": {"description": "For a start"}}, ["updated"]),
        ("post", "plans/basic/entitlements", {"entitlements": {"seats": {"max": 3}}}, ["updated"]),
        ("patch", "plans/basic/entitlements", {"entitlements": {"seats": {"max": 3}}}, []),
        ("delete", "plans/basic/entitlements/seats", None, ["updated"]),
        ("delete", "plans/basic", None, ["deleted"]),
    ],
}


@pytest.mark.parametrize("kind", list(STORIES))
def test_each_step_is_told_once(api: ApiClient, kind: str) -> None:
    if kind == "plan":
        call(api, "post", "features", {"feature": FEATURE})
    told = Told("billable_metric.", "plan.", "feature.")
    for method, path, content, expected in STORIES[kind]:
        answered = api.call(method, path, content)
        assert answered.status_code == 200, answered.content
        rows = told.rows()
        assert [name for name, _ in rows] == [f"{kind}.{name}" for name in expected], (method, path)
        if expected and kind in answered.json() and expected != ["deleted"]:
            assert rows[0][1] == answered.json()[kind]


def test_the_payload_is_what_a_get_answers(api: ApiClient, told: Told) -> None:
    metric = goods.make_metric()
    call(api, "post", "features", {"feature": FEATURE})
    call(api, "post", "plans", {"plan": {**PLAN, "minimum_commitment": {"amount_cents": 500}}})
    call(api, "post", "plans/basic/entitlements", {"entitlements": {"seats": {"max": 3}}})
    told.news()
    charge = {"billable_metric_id": str(metric.uuid), "charge_model": "standard", "properties": {"amount": "1"}}
    call(api, "post", "plans/basic/charges", {"charge": charge})

    ((name, content),) = told.rows()

    assert name == "plan.updated"
    assert content == api.read("plans/basic").json()["plan"]
    assert content["charges"][0]["billable_metric_code"] == metric.code
    assert content["entitlements"][0]["privileges"][0]["value"] == 3


def test_a_plan_that_is_gone_gives_nothing(api: ApiClient, told: Told) -> None:
    goods.make_plan("basic")
    told.news()
    call(api, "delete", "plans/basic")
    ((name, content),) = told.rows()
    assert (name, content["code"], "entitlements" in content) == ("plan.deleted", "basic", False)


def test_a_later_price_is_told_on_its_day(told: Told) -> None:
    goods.make_plan("basic", cents=900, at=AT)
    told.news()
    later = publications.sold_from(AT + timedelta(days=2), at=AT, timezone=AT.tzinfo)  # type: ignore[arg-type]
    plans.update(code="basic", values={"amount_cents": 1000}, actor=ACTOR, at=AT, publication=later)
    assert told.news("amount_cents") == []  # it is sold for 9.00 still
    assert versions.turn_due(as_of=AT + timedelta(days=2)) == 1
    assert told.news("amount_cents") == [("plan.updated", 1000)]
    assert versions.turn_due(as_of=AT + timedelta(days=3)) == 0
    assert told.news("amount_cents") == []


def test_what_is_rolled_back_was_never_told(told: Told) -> None:
    with transaction.atomic():
        goods.make_plan("basic")
        assert WebhookEvent.objects.filter(event_type="plan.created").exists()
        transaction.set_rollback(True)
    assert told.news() == []


@pytest.mark.parametrize(
    "verb",
    [lambda: goods.make_metric("m"), lambda: goods.make_plan("p")],
    ids=["metric", "plan"],
)
def test_without_an_endpoint_it_costs_one_query(verb: Callable[[], object]) -> None:
    with CaptureQueriesContext(connection) as found:
        verb()
    asked = [one["sql"] for one in found if "platform_webhook" in one["sql"]]
    assert len(asked) == 1
    assert not WebhookEvent.objects.exists()
