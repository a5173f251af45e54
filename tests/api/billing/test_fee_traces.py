"""``/fees/:id/trace``: the calculation of a fee, with its worked sum and the verdict of computing it again."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from billing.domain import trace
from billing.models import RatedCharge
from billing.services import runs
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.factories import billing as made
from tests.factories import books
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    """A customer who was billed half of January: half the fee of 31.00, and 3 requests at 0.105."""
    found = parties.make_customer(parties.make_entity())
    plan = goods.make_plan("pro", cents=3100, charges=[goods.standard(goods.make_metric(), "0.105")])
    made.make_subscription(found, plan, at=instant("2026-01-17"))
    made.send("sub", "requests", "2026-01-18", "2026-01-19", "2026-01-20")
    runs.run(as_of=instant("2026-02-01T12:00"), trigger="test", actor=ACTOR)
    return found


def read(api: ApiClient, kind: str) -> dict[str, Any]:
    response = api.read(f"fees/{InvoiceLine.objects.get(kind=kind).uuid}/trace")
    assert response.status_code == 200, response.content
    content: dict[str, Any] = response.json()["fee_trace"]
    return content


def test_a_usage_fee_is_explained(api: ApiClient, customer: Customer) -> None:
    found = read(api, "charge")
    line, rated = InvoiceLine.objects.get(kind="charge"), RatedCharge.objects.get(line__kind="charge")
    # 3 × 0.105 = 0.315, half up
    assert (found["lago_fee_id"], found["amount_cents"], found["amount_currency"]) == (str(line.uuid), 32, "EUR")
    assert found["lago_subscription_id"] == str(rated.subscription.uuid)
    assert found["external_subscription_id"] == "sub"
    assert found["worked_sum"] == [
        {"label": "Events", "subject": "requests", "formula": "", "result": "3"},
        {"label": "Aggregated value", "subject": "count_agg", "formula": "", "result": "3"},
        {"label": "Units", "subject": "", "formula": "3 × 0.105", "result": "0.315"},
        {"label": "Rounded half up", "subject": "", "formula": "0.315", "result": "0.32 EUR"},
    ]
    assert found["verification"] == {
        "verified": True,
        "digest_matches": True,
        "amount_matches": True,
        "recomputed_amount_cents": 32,
        "problem": None,
    }
    assert found["trace"] == rated.trace
    assert found["trace_sha256"] == trace.digest(found["trace"])


def test_a_plan_fee_is_explained(api: ApiClient, customer: Customer) -> None:
    found = read(api, "subscription")
    # 31.00 × 15 / 31
    assert (found["amount_cents"], found["verification"]["recomputed_amount_cents"]) == (1500, 1500)
    assert found["worked_sum"][0]["formula"] == "31 × 15 / 31"
    assert found["verification"]["verified"] is True


def test_a_trace_that_was_touched_is_told(api: ApiClient, customer: Customer) -> None:
    rated = RatedCharge.objects.get(line__kind="charge")
    rated.trace["inputs"]["usage"]["value"] = "4"
    with books.behind_its_back():
        rated.save(update_fields=["trace"])
    # 4 × 0.105 = 0.42
    assert read(api, "charge")["verification"] == {
        "verified": False,
        "digest_matches": False,
        "amount_matches": False,
        "recomputed_amount_cents": 42,
        "problem": None,
    }


def test_a_trace_that_cannot_be_read_is_told(api: ApiClient, customer: Customer) -> None:
    rated = RatedCharge.objects.get(line__kind="charge")
    rated.trace = {**rated.trace, "version": 99}
    rated.trace_sha256 = trace.digest(rated.trace)
    with books.behind_its_back():
        rated.save(update_fields=["trace", "trace_sha256"])
    verification = read(api, "charge")["verification"]
    assert (verification["verified"], verification["digest_matches"]) == (False, True)
    assert verification["recomputed_amount_cents"] is None
    assert "version 99" in verification["problem"]


def test_what_has_no_trace_is_not_found(api: ApiClient) -> None:
    parties.draft(parties.make_customer(parties.make_entity()), lines=[parties.line("3.00")])
    response = api.read(f"fees/{InvoiceLine.objects.get().uuid}/trace")
    assert (response.status_code, response.json()["code"]) == (404, "fee_trace_not_found")
    for unknown in (uuid.UUID(int=7), "none"):
        response = api.read(f"fees/{unknown}/trace")
        assert (response.status_code, response.json()["code"]) == (404, "fee_not_found")


def test_a_trace_costs_the_same_whatever_is_in_it(
    api: ApiClient, customer: Customer, django_assert_num_queries: Any
) -> None:
    read(api, "charge")
    path = f"fees/{InvoiceLine.objects.get(kind='charge').uuid}/trace"
    with django_assert_num_queries(4):  # key, line, its taxes, what it was rated from
        assert api.read(path).status_code == 200
