"""Expressions over the API: trying one, and metrics that have one."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from catalog.models import BillableMetric
from tests.factories import catalog
from tests.factories.platform import AT, ApiClient

pytestmark = pytest.mark.django_db

GB = "event.properties.bytes / 1000000000"
CONTENT = {
    "name": "Egress",
    "code": "egress",
    "aggregation_type": "sum_agg",
    "field_name": "gb",
    "expression": GB,
}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def try_out(api: ApiClient, expression: Any, **event: Any) -> Any:
    return api.call("post", "billable_metrics/evaluate_expression", {"expression": expression, "event": event})


def post(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "billable_metrics", {"billable_metric": {**CONTENT, **changes}})


@pytest.mark.parametrize(
    ("expression", "event", "value"),
    [
        ("1 + 2", {}, "3"),
        (GB, {"properties": {"bytes": 1_500_000_000}}, "1.5"),
        (GB, {"properties": {"bytes": "250000000.0"}}, "0.25"),
        ("event.properties.a * 3", {"properties": {"a": 0.1}}, "0.3"),
        ("CONCAT(event.code, '-', event.properties.user)", {"code": "c", "properties": {"user": "u"}}, "c-u"),
        ("event.timestamp", {"timestamp": 1700000000}, "1700000000"),
        ("event.timestamp", {"timestamp": "1700000000.25"}, "1700000000.25"),
        ("event.timestamp", {"timestamp": "2023-11-14T22:13:20Z"}, "1700000000"),
        ("event.timestamp", {"timestamp": None}, "1777896000"),  # 2026-05-04T12:00:00Z
        ("event.timestamp", {}, "1777896000"),
        ("''", {}, ""),
    ],
)
def test_an_expression_is_tried_on_an_event(api: ApiClient, expression: str, event: dict[str, Any], value: str) -> None:
    with time_machine.travel(AT, tick=False):
        response = try_out(api, expression, **event)
    assert response.status_code == 200, response.content
    assert response.json() == {"expression_result": {"value": value}}


def test_no_event_is_needed(api: ApiClient) -> None:
    response = api.call("post", "billable_metrics/evaluate_expression", {"expression": "ROUND(2.5)"})
    assert response.json() == {"expression_result": {"value": "3"}}


@pytest.mark.parametrize(
    ("content", "details"),
    [
        ({}, {"expression": ["value_is_mandatory"]}),
        ([], {"expression": ["value_is_mandatory"]}),
        ({"expression": " "}, {"expression": ["value_is_mandatory"]}),
        ({"expression": None}, {"expression": ["value_is_mandatory"]}),
        ({"expression": "1" * 2001}, {"expression": ["value_is_too_long"]}),
        (
            {"expression": "1 + "},
            {
                "expression": ["invalid_expression"],
                "expression_position": ["5"],
                "expression_problem": ["a value is expected"],
            },
        ),
        (
            {"expression": "2 * event.properties.n", "event": {"properties": {"n": "x"}}},
            {"event": ["invalid_event"], "expression_position": ["5"], "expression_problem": ["“x” is no number"]},
        ),
        ({"expression": "1", "event": {"timestamp": "soon"}}, {"event.timestamp": ["invalid_date"]}),
        ({"expression": "1", "event": {"properties": [1]}}, {"event.properties": ["value_is_invalid"]}),
        ({"expression": "1", "event": 7}, {"event": ["value_is_invalid"]}),
    ],
)
def test_what_cannot_be_tried_is_refused(api: ApiClient, content: Any, details: dict[str, list[str]]) -> None:
    response = api.call("post", "billable_metrics/evaluate_expression", content)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == details


def test_a_metric_keeps_its_expression(api: ApiClient) -> None:
    made = post(api)
    assert made.status_code == 200, made.content
    assert made.json()["billable_metric"]["expression"] == GB
    assert api.read("billable_metrics/egress").json()["billable_metric"]["expression"] == GB
    assert BillableMetric.objects.get().expression == GB


def test_an_expression_is_changed_and_taken_off_until_the_metric_is_priced(api: ApiClient) -> None:
    post(api)

    def put(expression: str | None) -> Any:
        content = {"billable_metric": {"expression": expression}}
        return api.call("put", "billable_metrics/egress", content).json()["billable_metric"]["expression"]

    assert put("event.properties.kb / 1000000") == "event.properties.kb / 1000000"
    assert put(None) is None
    assert put(GB) == GB
    catalog.make_plan(charges=[catalog.standard(BillableMetric.objects.get())])
    assert put("1") == GB


def test_a_bad_expression_is_refused_with_its_position(api: ApiClient) -> None:
    response = post(api, expression="event.properties.bytes / ")
    assert response.status_code == 422
    assert response.json()["error_details"] == {
        "expression": ["invalid_expression"],
        "expression_position": ["26"],
        "expression_problem": ["a value is expected"],
    }
    assert BillableMetric.objects.count() == 0


def test_a_count_computes_nothing(api: ApiClient) -> None:
    made = post(api, aggregation_type="count_agg").json()["billable_metric"]
    assert (made["field_name"], made["expression"]) == (None, None)


def test_an_expression_needs_a_property_to_write_to(api: ApiClient) -> None:
    response = post(api, field_name=None)
    assert response.json()["error_details"] == {"field_name": ["value_is_mandatory"]}


def test_two_metrics_cannot_compute_one_property_differently(api: ApiClient) -> None:
    post(api)
    same = {"code": "peak", "aggregation_type": "max_agg", "event_code": "egress"}
    refused = post(api, **same, expression="event.properties.bytes")
    assert refused.status_code == 422
    assert refused.json()["error_details"] == {"expression": ["field_is_computed_already"]}
    assert post(api, **same).status_code == 200
    # Without an expression of its own it reads what the other one computes; another property is its own affair.
    assert post(api, code="last", aggregation_type="latest_agg", event_code="egress", expression="").status_code == 200
    assert post(api, code="b", event_code="egress", field_name="b", expression="event.properties.b").status_code == 200
    assert post(api, code="elsewhere", expression="event.properties.bytes").status_code == 200


def test_a_metric_may_have_the_name_of_the_route(api: ApiClient) -> None:
    assert post(api, code="evaluate_expression").status_code == 200
    assert (
        api.call("put", "billable_metrics/evaluate_expression", {"billable_metric": {"name": "E"}}).status_code == 405
    )
