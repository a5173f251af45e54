"""``/simulations``: two plans on the same usage, and refusals with codes."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.services import simulations
from tests.factories import catalog
from tests.factories.billing import instant, make_subscription, send
from tests.factories.customers import make_customer
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Any:
    with time_machine.travel(instant("2026-04-20T09:00"), tick=False):
        requests = catalog.make_metric("requests", at=instant("2026-01-01"))
        version = catalog.make_plan("a", cents=2000, charges=[catalog.standard(requests, "0.10")])
        catalog.make_plan("b", cents=500, charges=[catalog.standard(requests, "0.30")])
        make_subscription(make_customer(), version, at=instant("2026-03-01"))
        send("sub", "requests", *["2026-03-10"] * 30)
        yield ApiClient()


def test_two_plans(api: ApiClient) -> None:
    asked = {"external_customer_id": "acme", "months": 1, "compare_with": {"plan_code": "b"}}
    response = api.call("post", "simulations", {"simulation": asked})

    assert response.status_code == 200, response.content
    found = response.json()["simulation"]
    assert (found["from_date"], found["to_date"], found["contracts_count"]) == ("2026-03-01", "2026-04-01", 1)
    assert found["compared_with"] == "B (b, EUR, version 1)"
    [currency] = found["currencies"]
    # 20 + 30 × 0.10; 5 + 30 × 0.30
    assert [currency[f"{name}_cents"] for name in ("amount", "compared_amount", "difference")] == [2300, 1400, -900]
    items = {(item["kind"], item["code"]): item["difference_cents"] for item in currency["items"]}
    assert items == {("subscription", None): -1500, ("usage", "requests"): 600}
    [contract] = found["contracts"]
    assert [line["amount_cents"] for line in contract["periods"][0]["lines"]] == [2000, 300]
    assert contract["compared_periods"][0]["amount_cents"] == 1400


def test_a_plan_alone(api: ApiClient) -> None:
    usage = [{"billable_metric_code": "requests", "units": "100", "growth_rate": "10"}]
    asked = {"plan_code": "a", "months": 2, "synthetic_usage": usage}
    found = api.call("post", "simulations", {"simulation": asked}).json()["simulation"]
    # 20 + 100 × 0.10, 20 + 110 × 0.10
    assert [month["amount_cents"] for month in found["currencies"][0]["months"]] == [3000, 3100]


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({"months": 1}, 422, "subject"),
        ({"plan_code": "a", "external_customer_id": "acme"}, 422, "subject"),
        ({"plan_code": "a", "months": 0}, 422, "months"),
        ({"plan_code": "a", "from_date": "soon"}, 422, "from_date"),
        ({"plan_code": "a", "from_date": "2026-03-01", "to_date": "2026-03-01"}, 422, "to"),
        ({"plan_code": "a", "plan_version": 1}, 422, "plan_version"),
        ({"plan_code": "a", "compare_with": {"plan": {"interval": 7}}}, 422, "plan"),
        ({"plan_code": "a", "compare_with": {"plan_code": "b", "plan": {"interval": "x"}}}, 422, "compare_with"),
        ({"plan_code": "a", "synthetic_usage": [{"billable_metric_code": "requests", "units": "-1"}]}, 422, None),
        ({"plan_code": "a", "synthetic_usage": [{"billable_metric_code": "gone", "units": "1"}]}, 404, None),
        ({"plan_code": "a", "monts": 1}, 422, "monts"),  # a typo would be answered by another question's answer
        ({"plan_code": "a", "compare_wiht": {"plan_code": "b"}}, 422, "compare_wiht"),
        ({"plan_code": "a", "compare_with": {"plan_code": "b", "version": 1}}, 422, "compare_with.version"),
        (
            {"plan_code": "a", "synthetic_usage": [{"billable_metric_code": "requests", "units": "1", "growth": "5"}]},
            422,
            "synthetic_usage.0.growth",
        ),
        ({"plan_code": "gone"}, 404, None),
        ({"external_subscription_id": "gone"}, 404, None),
        ({"plan_code": "a", "compare_with": {"plan_code": "gone"}}, 404, None),
    ],
)
def test_refusals(api: ApiClient, asked: dict[str, Any], status: int, field: str | None) -> None:
    response = api.call("post", "simulations", {"simulation": asked})
    assert response.status_code == status, response.content
    if field is not None:
        assert field in response.json()["error_details"]


def test_unknown_keys_are_named_with_their_code(api: ApiClient) -> None:
    response = api.call("post", "simulations", {"simulation": {"plan_code": "a", "monts": 1, "x": None}})
    assert response.json()["error_details"] == {"monts": ["unknown_key"], "x": ["unknown_key"]}
    beside = {"simulation": {"plan_code": "a"}, "compare_with": {"plan_code": "b"}}
    response = api.call("post", "simulations", beside)
    assert (response.status_code, response.json()["error_details"]) == (422, {"compare_with": ["unknown_key"]})


def test_what_takes_too_long_is_refused(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "MAX_WINDOWS", 0)
    response = api.call("post", "simulations", {"simulation": {"plan_code": "a"}})
    assert response.status_code == 422
    assert response.json()["error_details"] == {"base": ["simulation_too_large"]}
