"""``/billable_metrics``: shapes, codes, what may change once a metric is priced."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import BillableMetric, PlanVersion
from tests.factories import catalog
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

CONTENT = {"name": "Requests", "code": "requests", "aggregation_type": "count_agg"}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def post(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "billable_metrics", {"billable_metric": {**CONTENT, **changes}})


def test_the_shape_of_a_metric(api: ApiClient) -> None:
    response = post(
        api,
        code="egress.gb",
        description="Out",
        aggregation_type="sum_agg",
        field_name="gb",
        rounding_function="ceil",
        rounding_precision=2,
        recurring=False,
        expression=None,
        filters=[{"key": "region", "values": ["us", "eu", "eu"]}],
        unknown="dropped",
    )
    metric = BillableMetric.objects.get()
    assert response.status_code == 200, response.content
    assert response.json() == {
        "billable_metric": {
            "lago_id": str(metric.uuid),
            "name": "Requests",
            "code": "egress.gb",
            "description": "Out",
            "aggregation_type": "sum_agg",
            "weighted_interval": None,
            "recurring": False,
            "rounding_function": "ceil",
            "rounding_precision": 2,
            "created_at": metric.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "field_name": "gb",
            "event_code": "egress.gb",
            "expression": None,
            "active_subscriptions_count": 0,
            "draft_invoices_count": 0,
            "plans_count": 0,
            "filters": [{"key": "region", "values": ["eu", "us"]}],
        }
    }
    assert api.read("billable_metrics/egress.gb").json() == response.json()


def test_several_metrics_read_the_same_events(api: ApiClient) -> None:
    own = post(api).json()["billable_metric"]
    other = post(
        api, code="paths", aggregation_type="unique_count_agg", field_name="path", event_code="requests"
    ).json()
    assert (own["event_code"], other["billable_metric"]["event_code"]) == ("requests", "requests")


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"name": ""}, {"name": ["value_is_mandatory"]}),
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"code": "x" * 256}, {"code": ["value_is_too_long"]}),
        ({"aggregation_type": "median_agg"}, {"aggregation_type": ["value_is_invalid"]}),
        ({"aggregation_type": None}, {"aggregation_type": ["value_is_mandatory"]}),
        ({"aggregation_type": ["count_agg"]}, {"aggregation_type": ["value_is_invalid"]}),
        ({"aggregation_type": "weighted_sum_agg"}, {"field_name": ["value_is_mandatory"]}),
        ({"aggregation_type": "custom_agg"}, {"aggregation_type": ["unsupported_value"]}),
        ({"aggregation_type": "sum_agg"}, {"field_name": ["value_is_mandatory"]}),
        ({"aggregation_type": "max_agg", "field_name": " "}, {"field_name": ["value_is_mandatory"]}),
        ({"recurring": True}, {"recurring": ["not_compatible_with_aggregation_type"]}),
        (
            {"recurring": True, "aggregation_type": "max_agg", "field_name": "n"},
            {"recurring": ["not_compatible_with_aggregation_type"]},
        ),
        (
            {"recurring": True, "aggregation_type": "latest_agg", "field_name": "n"},
            {"recurring": ["not_compatible_with_aggregation_type"]},
        ),
        ({"recurring": "maybe"}, {"recurring": ["value_is_invalid"]}),
        ({"weighted_interval": "days"}, {"weighted_interval": ["value_is_invalid"]}),
        ({"rounding_function": "truncate"}, {"rounding_function": ["value_is_invalid"]}),
        ({"rounding_function": "round", "rounding_precision": 99}, {"rounding_precision": ["value_is_out_of_range"]}),
        ({"rounding_precision": "x"}, {"rounding_precision": ["value_is_invalid"]}),
        ({"filters": {}}, {"filters": ["must_be_an_array"]}),
        ({"filters": [{"key": "region"}]}, {"filters.0.values": ["value_is_mandatory"]}),
        ({"filters": [{"key": "region", "values": []}]}, {"filters": ["value_is_mandatory"]}),
        ({"filters": [{"key": "region", "values": [1, {}]}]}, {"filters.0.values.1": ["value_is_invalid"]}),
        (
            {"filters": [{"key": "a", "values": ["1"]}, {"key": "a", "values": ["2"]}]},
            {"filters": ["value_is_invalid"]},
        ),
    ],
)
def test_refuses(api: ApiClient, changes: dict[str, Any], details: dict[str, list[str]]) -> None:
    response = post(api, **changes)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == details
    assert BillableMetric.objects.count() == 0


@pytest.mark.parametrize("aggregation", ["sum_agg", "unique_count_agg", "weighted_sum_agg"])
@pytest.mark.parametrize(("recurring", "stays"), [(True, True), ("true", True), (False, False), (None, False)])
def test_what_can_stay_over_periods(api: ApiClient, aggregation: str, recurring: Any, *, stays: bool) -> None:
    response = post(api, aggregation_type=aggregation, field_name="n", recurring=recurring, weighted_interval="seconds")
    assert response.status_code == 200, response.content
    metric = response.json()["billable_metric"]
    assert metric["recurring"] is stays
    assert metric["weighted_interval"] == ("seconds" if aggregation == "weighted_sum_agg" else None)
    changed = api.call("put", "billable_metrics/requests", {"billable_metric": {"recurring": not stays}})
    assert changed.json()["billable_metric"]["recurring"] is not stays


def test_what_stays_does_not_become_what_cannot(api: ApiClient) -> None:
    post(api, aggregation_type="sum_agg", field_name="n", recurring=True)
    response = api.call("put", "billable_metrics/requests", {"billable_metric": {"aggregation_type": "max_agg"}})
    assert response.json()["error_details"] == {"recurring": ["not_compatible_with_aggregation_type"]}
    assert BillableMetric.objects.get().aggregation_type == "sum_agg"


def test_a_code_is_taken_until_it_is_free_again(api: ApiClient) -> None:
    post(api)
    assert post(api).json()["error_details"] == {"code": ["value_already_exist"]}
    assert api.call("delete", "billable_metrics/requests").status_code == 200
    assert api.read("billable_metrics/requests").json()["code"] == "billable_metric_not_found"
    assert api.call("delete", "billable_metrics/requests").status_code == 404
    assert post(api).status_code == 200
    assert BillableMetric.objects.filter(deleted_at__isnull=True).count() == 1


def test_an_unused_metric_changes_in_everything(api: ApiClient) -> None:
    post(api)
    changed = {
        "code": "calls",
        "aggregation_type": "sum_agg",
        "field_name": "n",
        "filters": [{"key": "k", "values": ["v"]}],
    }
    found = api.call("put", "billable_metrics/requests", {"billable_metric": changed}).json()["billable_metric"]
    assert {key: found[key] for key in changed} == changed
    assert found["event_code"] == "calls"
    assert found["name"] == "Requests"


def test_a_priced_metric_keeps_what_it_counts(api: ApiClient) -> None:
    metric = catalog.make_metric()
    catalog.make_plan(charges=[catalog.standard(metric)])
    changed = {"name": "Calls", "description": "d", "code": "calls", "aggregation_type": "sum_agg", "field_name": "n"}
    response = api.call("put", "billable_metrics/requests", {"billable_metric": changed})
    found = response.json()["billable_metric"]
    assert response.status_code == 200
    assert (found["name"], found["description"]) == ("Calls", "d")
    assert (found["code"], found["aggregation_type"], found["field_name"]) == ("requests", "count_agg", None)


def test_a_filter_value_with_a_price_stays(api: ApiClient) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    part = {"values": {"region": ["eu"]}, "properties": {"amount": "2"}}
    catalog.make_plan(charges=[catalog.standard(metric, filters=[part])])
    path = "billable_metrics/requests"
    gone = api.call("put", path, {"billable_metric": {"filters": [{"key": "region", "values": ["us"]}]}})
    assert gone.status_code == 422
    assert gone.json()["error_details"] == {"filters": ["value_in_use"]}
    more = api.call("put", path, {"billable_metric": {"filters": [{"key": "region", "values": ["asia", "eu"]}]}})
    assert more.json()["billable_metric"]["filters"] == [{"key": "region", "values": ["asia", "eu"]}]


def test_the_charges_on_a_metric_go_with_it(api: ApiClient) -> None:
    metric, kept = catalog.make_metric(), catalog.make_metric("calls")
    catalog.make_plan(charges=[catalog.standard(metric), catalog.standard(kept)])
    catalog.make_plan("other", charges=[catalog.standard(kept)])
    response = api.call("delete", "billable_metrics/requests")
    assert (response.status_code, response.json()["billable_metric"]["code"]) == (200, "requests")
    charges = api.read("plans/starter").json()["plan"]["charges"]
    assert [charge["billable_metric_code"] for charge in charges] == ["calls"]
    assert PlanVersion.objects.count() == 3  # a second one of the first plan, and nothing new of the other
    assert api.read("billable_metrics/requests").status_code == 404


def test_not_found_comes_before_what_is_wrong(api: ApiClient) -> None:
    response = api.call("put", "billable_metrics/none", {"billable_metric": {"name": ""}})
    assert (response.status_code, response.json()["code"]) == (404, "billable_metric_not_found")
    assert api.call("put", "billable_metrics/none", {}).status_code == 400


def test_lists_newest_first_with_filters(api: ApiClient) -> None:
    catalog.make_metric("a")
    catalog.make_metric("b", "sum_agg")
    catalog.make_metric("c", "max_agg", name="Peak")
    codes = [row["code"] for row in api.read("billable_metrics").json()["billable_metrics"]]
    assert codes == ["c", "b", "a"]
    found = api.read("billable_metrics?aggregation_types[]=sum_agg&aggregation_types[]=max_agg").json()
    assert [row["code"] for row in found["billable_metrics"]] == ["c", "b"]
    assert [row["code"] for row in api.read("billable_metrics?search_term=PEA").json()["billable_metrics"]] == ["c"]


def test_a_list_costs_the_same_however_long(api: ApiClient, django_assert_num_queries: Any) -> None:
    for number in range(5):
        catalog.make_metric(f"m{number}", filters=[{"key": "k", "values": ["v"]}])
    api.read("billable_metrics")
    with django_assert_num_queries(4):  # key, count, metrics, their filters
        assert len(api.read("billable_metrics").json()["billable_metrics"]) == 5
