"""Taxes over the API: engines, retrying, exemption, VAT of the EU, and a plan whose prices include their tax."""

from __future__ import annotations

from typing import Any

import pytest

from customers.models import Customer
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


def test_engines_are_made_changed_and_show_no_token(api: ApiClient, customer: Customer) -> None:
    content = {
        "billing_entity_code": customer.billing_entity.code,
        "code": "engine",
        "url": "https://tax.example.com",
        "token": "secret",
    }
    made = api.call("post", "tax_engines", {"tax_engine": content})
    assert made.status_code == 200, made.content
    assert made.json()["tax_engine"]["is_active"] is True
    assert b"secret" not in made.content
    again = api.call("post", "tax_engines", {"tax_engine": content})
    assert again.status_code == 422
    off = api.call("put", "tax_engines/engine", {"tax_engine": {"is_active": False}})
    assert off.json()["tax_engine"]["is_active"] is False
    assert len(api.read("tax_engines").json()["tax_engines"]) == 1
    assert api.read("tax_engines/other").status_code == 404


def test_only_what_failed_is_retried(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "10.00")
    refused = api.call("post", f"invoices/{invoice.uuid}/retry", {})
    assert (refused.status_code, refused.json()["code"]) == (405, "invalid_status")
    assert api.read(f"invoices/{invoice.uuid}").json()["invoice"]["error_details"] == []


@pytest.mark.parametrize(("content", "field"), [({"country": "US"}, "eu_tax_management")])
def test_a_seller_outside_the_eu_is_told(
    api: ApiClient, customer: Customer, content: dict[str, Any], field: str
) -> None:
    path = f"billing_entities/{customer.billing_entity.code}"
    refused = api.call("put", path, {"billing_entity": {**content, "eu_tax_management": True}})
    assert refused.status_code == 422
    assert refused.json()["error_details"] == {field: ["billing_entity_must_be_in_eu"]}


def test_an_exemption_comes_and_goes(api: ApiClient, customer: Customer) -> None:
    def save(value: Any) -> Any:
        return api.call(
            "post", "customers", {"customer": {"external_id": customer.external_id, "tax_exemption": value}}
        )

    granted = save({"reason": "nonprofit", "certificate_number": "N-1", "valid_until": "2027-12-31"})
    assert granted.json()["customer"]["tax_exemption"] == {
        "reason": "nonprofit",
        "legal_note": None,
        "certificate_number": "N-1",
        "valid_until": "2027-12-31",
    }
    assert save({"reason": "because"}).status_code == 422
    assert save(None).json()["customer"]["tax_exemption"] is None
