"""Expressions in the admin: typed with the metric, tried on an event, and visible where they failed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from catalog.models import BillableMetric
from tests.factories import usage
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

METRIC = {
    "name": "Storage",
    "code": "storage",
    "aggregation_type": "sum_agg",
    "field_name": "gb",
    "expression": "ROUND(event.properties.bytes / 1000000000, 2)",
}


@pytest.fixture
def metric(finance: Client) -> BillableMetric:
    finance.post("/admin/catalog/billablemetric/create/", METRIC)
    return BillableMetric.objects.get(code="storage")


def attempt(client: Client, metric: BillableMetric, properties: str) -> Any:
    return client.post(f"/admin/catalog/billablemetric/{metric.pk}/try/", {"properties": properties})


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_an_expression_is_typed_shown_and_changed(finance: Client, metric: BillableMetric) -> None:
    assert metric.expression == METRIC["expression"]
    page = finance.get(f"/admin/catalog/billablemetric/{metric.pk}/change/").content.decode()
    assert METRIC["expression"] in page
    finance.post(f"/admin/catalog/billablemetric/{metric.pk}/edit/", {**METRIC, "expression": "event.properties.gb"})
    metric.refresh_from_db()
    assert metric.expression == "event.properties.gb"


def test_a_wrong_expression_is_told_with_its_position(finance: Client) -> None:
    answer = finance.post("/admin/catalog/billablemetric/create/", {**METRIC, "expression": "1 + bytes"})
    [reason] = answer.context["form"].errors["expression"]
    assert "at character 5" in reason
    assert not BillableMetric.objects.filter(code="storage").exists()


def test_an_expression_is_tried(finance: Client, metric: BillableMetric) -> None:
    answer = attempt(finance, metric, '{"bytes": 1234567890}')
    assert told(answer)[-1] == "gb = 1.23"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ("", "This field is required."),
        ("{", "This is not JSON."),
        ("[1]", "Properties are a JSON object"),
        ('{"kb": 1}', "at character 7: the event has no property bytes"),
        ('{"bytes": NaN}', "the property bytes is no single value"),
        ('{"bytes": 1e99999999}', "the figure is too large"),
    ],
)
def test_what_cannot_be_tried_says_why(finance: Client, metric: BillableMetric, properties: str, reason: str) -> None:
    answer = attempt(finance, metric, properties)
    assert answer.status_code == 200
    [told_reason] = answer.context["form"].errors["properties"]
    assert reason in told_reason


def test_without_an_expression_there_is_nothing_to_try(finance: Client, company: Company) -> None:
    metric = BillableMetric.objects.get(code="requests")
    answer = finance.get(f"/admin/catalog/billablemetric/{metric.pk}/try/")
    assert answer.status_code == 302
    assert any("has no expression" in message for message in told(answer))


def test_an_event_that_could_not_be_computed_says_why(
    finance: Client, superuser: Client, company: Company, metric: BillableMetric
) -> None:
    subscription = company.subscriptions[0].external_id
    moment = timezone.now().replace(tzinfo=None).isoformat()
    for name, properties in (("bad", {"bytes": "many"}), ("good", {"bytes": 5_000_000})):
        usage.store(
            usage.make_event(
                moment,
                transaction_id=name,
                external_subscription_id=subscription,
                code="storage",
                properties=properties,
            )
        )
    page = superuser.get("/admin/billing/usageevent/?match=expression")
    assert [event.transaction_id for event in page.context["cl"].result_list] == ["bad"]
    assert "not computed" in page.content.decode()
    assert "gb: “many” is no number (character 7 of the expression)" in page.content.decode()
