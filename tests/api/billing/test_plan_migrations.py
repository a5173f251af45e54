"""``/plan_migrations``: drafts of moves to another plan version, with what each next invoice changes by."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import PlanMigration, Subscription
from catalog.domain import publications
from catalog.services import plans
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db

NOW = "2026-01-20T10:00:00Z"


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def api() -> ApiClient:
    """A plan with one subscription on its first version, and a dearer one that is sold now."""
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, goods.make_plan("starter", cents=3100), at=instant("2026-01-01"))
    values: Any = {"amount_cents": 6200}
    plans.update(code="starter", values=values, actor=ACTOR, at=instant("2026-01-10"), publication=publications.KEPT)
    return ApiClient()


def post(api: ApiClient, **values: Any) -> Any:
    return api.call("post", "plan_migrations", {"plan_migration": {"plan_code": "starter", "reason": "2026", **values}})


def test_a_draft_has_its_preview_and_moves_nobody(api: ApiClient) -> None:
    answer = post(api)
    assert answer.status_code == 200
    found = answer.json()["plan_migration"]
    assert (found["state"], found["from_version"], found["to_version"], found["timing"]) == ("draft", None, 2, "now")
    assert (found["before_amount_cents"], found["after_amount_cents"], found["counts"]) == (3100, 6200, {"waiting": 1})
    rows = api.call("get", f"plan_migrations/{found['lago_id']}/subscriptions").json()["subscriptions"]
    assert [(row["external_subscription_id"], row["after_amount_cents"]) for row in rows] == [("sub", 6200)]
    assert Subscription.objects.get().plan_version.number == 1
    listed = api.call("get", "plan_migrations?plan_code=starter").json()
    assert [row["lago_id"] for row in listed["plan_migrations"]] == [found["lago_id"]]
    assert api.call("get", f"plan_migrations/{found['lago_id']}").json()["plan_migration"] == found


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"plan_code": "nothing"}, 404),
        ({"to_version": 9}, 404),
        ({"to_version": "x"}, 422),
        ({"from_version": 2}, 422),
        ({"timing": "soon"}, 422),
        ({"timing": "date"}, 422),
        ({"timing": "date", "change_date": "2026-01-20"}, 422),
        ({"reason": ""}, 422),
    ],
)
def test_refuses(api: ApiClient, values: dict[str, Any], status: int) -> None:
    assert post(api, **values).status_code == status
    assert not PlanMigration.objects.exists()


def test_unknown_ones(api: ApiClient) -> None:
    for path in ("plan_migrations/x", "plan_migrations/00000000-0000-0000-0000-000000000000"):
        assert api.call("get", path).status_code == 404
        assert api.call("get", f"{path}/subscriptions").status_code == 404


def test_a_list_takes_a_fixed_number_of_queries(api: ApiClient, django_assert_max_num_queries: Any) -> None:
    for _ in range(4):
        post(api)
    with django_assert_max_num_queries(5):
        assert len(api.call("get", "plan_migrations").json()["plan_migrations"]) == 4


@pytest.mark.parametrize(
    "values",
    [
        {"reason": None},
        {"reason": "x" * 1001},
        {"from_version": None, "to_version": None},
        {"to_version": 10**30},
        {"to_version": True},
        {"plan_code": ["starter"]},
        {"timing": None},
        {"change_date": 5, "timing": "date"},
        {"change_date": "9999-12-31", "timing": "date"},
    ],
)
def test_bad_input_is_told(api: ApiClient, values: dict[str, Any]) -> None:
    """Null stands for what is not sent, where that may be left out."""
    assert post(api, **values).status_code in (200, 400, 422)
