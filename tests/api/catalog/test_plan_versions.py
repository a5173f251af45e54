"""``/plans/:code/versions`` and ``effective_at``: versions that are sold later, and those of the past."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from tests.factories import catalog
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

NOW = "2026-05-20T10:00:00Z"


@pytest.fixture
def api() -> ApiClient:
    catalog.make_plan("starter", cents=2900)
    return ApiClient()


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def put(api: ApiClient, **changes: Any) -> Any:
    return api.call("put", "plans/starter", {"plan": changes})


def listed(api: ApiClient) -> list[tuple[int, str, int]]:
    rows = api.call("get", "plans/starter/versions").json()["plan_versions"]
    return [(row["number"], row["status"], row["amount_cents"]) for row in rows]


def test_a_version_for_later(api: ApiClient) -> None:
    answer = put(api, amount_cents=3900, effective_at="2026-06-01")
    assert answer.status_code == 200
    assert answer.json()["plan"]["amount_cents"] == 2900  # what is sold now
    assert listed(api) == [(2, "scheduled", 3900), (1, "current", 2900)]
    one = api.call("get", "plans/starter/versions/2").json()["plan_version"]
    assert (one["effective_at"], one["moved_existing_subscriptions"]) == ("2026-06-01T00:00:00Z", False)


def test_an_update_without_a_date_moves_everybody_as_before(api: ApiClient) -> None:
    assert put(api, amount_cents=3900).json()["plan"]["amount_cents"] == 3900
    one = api.call("get", "plans/starter/versions/2").json()["plan_version"]
    assert (one["status"], one["moved_existing_subscriptions"]) == ("current", True)


def test_another_change_while_one_waits_is_a_conflict(api: ApiClient) -> None:
    put(api, amount_cents=3900, effective_at="2026-06-01")
    answer = put(api, amount_cents=4900)
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_version_scheduled")
    assert put(api, name="Beginner").status_code == 200


def test_withdrawing(api: ApiClient) -> None:
    put(api, amount_cents=3900, effective_at="2026-06-01")
    answer = api.call("delete", "plans/starter/versions/2")
    assert (answer.status_code, answer.json()["plan_version"]["status"]) == (200, "withdrawn")
    assert listed(api) == [(2, "withdrawn", 3900), (1, "current", 2900)]
    assert api.call("delete", "plans/starter/versions/1").status_code == 405
    assert api.call("delete", "plans/starter/versions/9").status_code == 404
    assert api.call("get", "plans/nothing/versions").status_code == 404


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"effective_at": "2026-05-19"}, {"effective_at": ["value_is_out_of_range"]}),
        ({"effective_at": "2046-05-19"}, {"effective_at": ["value_is_out_of_range"]}),
        ({"effective_at": "soon"}, {"effective_at": ["invalid_date"]}),
        ({"effective_at": "2026-06-01", "cascade_updates": True}, {"cascade_updates": ["value_must_be_blank"]}),
    ],
)
def test_refuses(api: ApiClient, changes: dict[str, Any], details: dict[str, list[str]]) -> None:
    answer = put(api, amount_cents=3900, **changes)
    assert (answer.status_code, list(answer.json()["error_details"])) == (422, list(details))
    assert listed(api) == [(1, "current", 2900)]
