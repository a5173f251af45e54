"""``/taxes``: percent outside, fraction inside, and which of them the default seller applies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import PlanVersion, Tax
from customers.models import BillingEntity, Customer
from tests.factories import catalog, customers
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

CONTENT = {"name": "VAT", "code": "vat", "rate": 19.0}


@pytest.fixture
def api() -> ApiClient:
    customers.make_default_entity()
    return ApiClient()


def post(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "taxes", {"tax": {**CONTENT, **changes}})


@pytest.mark.parametrize(
    ("rate", "stored", "shown"),
    [(19, "0.19", 19.0), ("19.6", "0.196", 19.6), (7.7, "0.077", 7.7), (0, "0", 0.0), ("8.875", "0.08875", 8.875)],
)
def test_a_rate_is_percent_outside_and_a_fraction_inside(api: ApiClient, rate: Any, stored: str, shown: Any) -> None:
    assert post(api, rate=rate).json()["tax"]["rate"] == shown
    assert Tax.objects.get().rate == Decimal(stored)


def test_the_shape_of_a_tax(api: ApiClient) -> None:
    found = post(api, description="d", applied_to_organization=True).json()["tax"]
    tax = Tax.objects.get()
    assert found == {
        "lago_id": str(tax.uuid),
        "name": "VAT",
        "code": "vat",
        "rate": 19.0,
        "description": "d",
        "legal_note": None,
        "applied_to_organization": True,
        "add_ons_count": 0,
        "customers_count": 0,
        "plans_count": 0,
        "charges_count": 0,
        "commitments_count": 0,
        "created_at": tax.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert api.read("taxes/vat").json() == {"tax": found}
    assert api.read("taxes").json()["taxes"] == [found]


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"name": ""}, {"name": ["value_is_mandatory"]}),
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"rate": None}, {"rate": ["value_is_mandatory"]}),
        ({"rate": -1}, {"rate": ["value_is_out_of_range"]}),
        ({"rate": 100.5}, {"rate": ["value_is_out_of_range"]}),
        ({"rate": "0.0000001"}, {"rate": ["value_is_out_of_range"]}),
        ({"rate": True}, {"rate": ["value_is_invalid"]}),
        ({"rate": "1e1"}, {"rate": ["value_is_invalid"]}),
        ({"rate": {}}, {"rate": ["value_is_invalid"]}),
        ({"rate": 10**400}, {"rate": ["value_is_invalid"]}),
        ({"applied_to_organization": "x"}, {"applied_to_organization": ["value_is_invalid"]}),
    ],
)
def test_refuses(api: ApiClient, changes: dict[str, Any], details: dict[str, list[str]]) -> None:
    response = post(api, **changes)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == details
    assert Tax.objects.count() == 0


def test_the_default_seller_applies_what_it_is_told(api: ApiClient) -> None:
    post(api, applied_to_organization=True)
    post(api, code="other")
    applied = BillingEntity.objects.get(is_default=True).taxes
    assert [tax.code for tax in applied.all()] == ["vat"]
    api.call("put", "taxes/vat", {"tax": {"rate": 20}})
    assert [tax.code for tax in applied.all()] == ["vat"]
    found = api.call("put", "taxes/vat", {"tax": {"applied_to_organization": False}}).json()["tax"]
    assert (found["applied_to_organization"], found["rate"]) == (False, 20.0)
    assert applied.count() == 0


def test_a_code_is_taken_until_it_is_free_again(api: ApiClient) -> None:
    post(api, applied_to_organization=True)
    assert post(api).json()["error_details"] == {"code": ["value_already_exist"]}
    customers.make_customer(tax_codes=["vat"])
    catalog.make_plan(tax_codes=["vat"])
    assert api.call("delete", "taxes/vat").status_code == 200
    assert api.read("taxes/vat").json()["code"] == "tax_not_found"
    owners = (Customer.objects.get(), PlanVersion.objects.get(), BillingEntity.objects.get())
    assert [owner.taxes.count() for owner in owners] == [0, 0, 0]
    assert post(api).status_code == 200
    assert api.call("put", "taxes/none", {"tax": {"rate": -1}}).json()["code"] == "tax_not_found"


def test_a_list_costs_the_same_however_long(api: ApiClient, django_assert_num_queries: Any) -> None:
    for number in range(5):
        post(api, code=f"t{number}", applied_to_organization=True)
    api.read("taxes")
    with django_assert_num_queries(4):  # key, count, taxes, default taxes
        assert len(api.read("taxes?search_term=t").json()["taxes"]) == 5


def test_the_text_on_documents_of_a_tax(api: ApiClient) -> None:
    assert post(api, rate=0, legal_note="Article 146").json()["tax"]["legal_note"] == "Article 146"
    changed = api.call("put", "taxes/vat", {"tax": {"legal_note": None}})
    assert changed.json()["tax"]["legal_note"] is None
    assert api.call("put", "taxes/vat", {"tax": {"legal_note": "x" * 2001}}).status_code == 422
