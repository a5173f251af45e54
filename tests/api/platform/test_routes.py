"""What is reachable beside the resources: unknown routes, the description of the API, and what a fault shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory
from drf_spectacular.drainage import GENERATOR_STATS

from config import faults
from config.platform.api import errors
from tests.factories import catalog, customers
from tests.factories.platform import ApiClient


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch", "options"])
@pytest.mark.parametrize("path", ["nothing", "nothing/at/all", "", "customers/", "organizations/x/y"])
def test_unknown_routes(method: str, path: str) -> None:
    response = ApiClient().call(method, path)
    assert response.status_code in {404, 405}, response.content
    assert response.json()["status"] == response.status_code
    assert getattr(Client(), method)(f"/api/v1/{path}").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["plans/a%0Ab", "nothing%0A", "%0A/%0D", "plans/%0A/charges"])
def test_line_breaks_in_an_address_name_nothing(path: str) -> None:
    response = ApiClient().call("get", path)
    assert (response.status_code, response.json()["code"]) == (404, "resource_not_found")


@pytest.mark.django_db
def test_the_code_of_an_unknown_route() -> None:
    expected = {"status": 404, "error": "Not Found", "code": "resource_not_found"}
    assert ApiClient().read("nothing").json() == expected


@pytest.mark.django_db
def test_the_description_needs_no_key_and_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    response = Client().get("/api/schema/", {"format": "json"})
    described: dict[str, Any] = response.json()
    assert response.status_code == 200
    assert {"/api/v1/customers", "/api/v1/plans/{code}", "/api/v1/taxes"} <= described["paths"].keys()
    assert described["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    plan = described["paths"]["/api/v1/plans"]["post"]
    envelope = plan["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    assert described["components"]["schemas"][envelope]["required"] == ["plan"]
    assert "422" in plan["responses"]
    assert not GENERATOR_STATS, "manage.py spectacular --fail-on-warn says what is ambiguous"
    operations = [verb["operationId"] for path in described["paths"].values() for verb in path.values()]
    assert len(operations) == len(set(operations))


@pytest.mark.django_db
def test_the_docs_are_a_page() -> None:
    response = Client().get("/api/docs/")
    assert response.status_code == 200
    assert b"swagger" in response.content


def test_a_fault_tells_nothing() -> None:
    answer = faults.answer(RequestFactory().get("/api/v1/customers"))
    assert answer.status_code == 500
    assert answer.content == errors.server_error(RequestFactory().get("/")).content
    assert b'"status": 500' in answer.content


def test_a_fault_on_a_page_is_a_page() -> None:
    answer = faults.answer(RequestFactory().get("/admin/"))
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (500, "text/html")


@pytest.mark.django_db
def test_codes_and_external_ids_may_hold_slashes() -> None:
    customers.make_customer("team/a")
    catalog.make_tax("eu/vat")
    metric = catalog.make_metric("http/calls")
    catalog.make_plan("pro/1", charges=[{"billable_metric_id": metric.uuid, "charge_model": "standard"}])
    customers.make_entity("de/1")
    api = ApiClient()
    paths = (
        "customers/team%2Fa",
        "customers/team%2Fa/invoices",
        "customers/team%2Fa/payments",
        "customers/team%2Fa/subscriptions",
        "taxes/eu%2Fvat",
        "billable_metrics/http%2Fcalls",
        "plans/pro%2F1",
        "plans/pro%2F1/charges",
        "plans/pro%2F1/charges/http%2Fcalls",
        "billing_entities/de%2F1",
    )
    assert {path: api.read(path).status_code for path in paths} == dict.fromkeys(paths, 200)
