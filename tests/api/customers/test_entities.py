"""``/billing_entities`` and ``/organizations``: sellers, and the organization that the default one stands for."""

from __future__ import annotations

from typing import Any

import pytest

from config.platform.models import Installation
from customers.models import BillingEntity
from tests.factories import catalog, customers
from tests.factories.platform import ApiClient, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    customers.make_default_entity()
    return ApiClient()


def post(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "billing_entities", {"billing_entity": {"code": "de", "name": "Acme GmbH", **changes}})


def test_the_shape_of_a_billing_entity(api: ApiClient) -> None:
    catalog.make_tax()
    response = post(
        api,
        country="DE",
        timezone="Europe/Berlin",
        default_currency="EUR",
        net_payment_term=14,
        email="billing@acme.test",
        email_settings=["invoice.finalized"],
        document_numbering="per_billing_entity",
        document_number_prefix="ACME",
        tax_codes=["vat"],
        iban="DE02120300000000202051",
        einvoicing=False,
        billing_configuration={"invoice_footer": "HRB 1", "invoice_grace_period": 2, "document_locale": "de"},
    )
    assert response.status_code == 200, response.content
    found = dict(response.json()["billing_entity"])
    entity = BillingEntity.objects.get(code="de")
    made_at = entity.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [tax["code"] for tax in found.pop("taxes")] == ["vat"]
    assert found == {
        "lago_id": str(entity.uuid),
        "code": "de",
        "name": "Acme GmbH",
        "default_currency": "EUR",
        "created_at": made_at,
        "updated_at": made_at,
        "country": "DE",
        "address_line1": None,
        "address_line2": None,
        "phone": None,
        "url": None,
        "city": None,
        "state": None,
        "zipcode": None,
        "einvoicing": False,
        "email": "billing@acme.test",
        "legal_name": None,
        "legal_number": None,
        "timezone": "Europe/Berlin",
        "net_payment_term": 14,
        "email_settings": ["invoice.finalized"],
        "document_numbering": "per_billing_entity",
        "document_number_prefix": "ACME",
        "tax_identification_number": None,
        "finalize_zero_amount_invoice": True,
        "invoice_footer": "HRB 1",
        "invoice_grace_period": 2,
        "subscription_invoice_issuing_date_adjustment": "align_with_finalization_date",
        "subscription_invoice_issuing_date_anchor": "next_period_start",
        "document_locale": "de",
        "is_default": False,
        "eu_tax_management": False,
        "logo_url": None,
        "bank_name": None,
        "iban": "DE02120300000000202051",
        "bic": None,
        "accent_color": "#4f46e5",
        "selected_invoice_custom_sections": [],
    }
    assert api.read("billing_entities/de").json() == response.json()


def test_the_list_has_no_pages_and_starts_with_the_default(api: ApiClient) -> None:
    post(api)
    found = api.read("billing_entities").json()
    assert [row["code"] for row in found["billing_entities"]] == ["default", "de"]
    assert "meta" not in found


def test_a_prefix_is_made_of_the_name(api: ApiClient) -> None:
    prefix = post(api).json()["billing_entity"]["document_number_prefix"]
    assert prefix.startswith("ACM-")
    assert len(prefix) == 8


def test_a_change_touches_what_it_names(api: ApiClient) -> None:
    post(api, city="Köln", tax_codes=[])
    catalog.make_tax()
    changed = {"name": "Acme AG", "tax_codes": ["vat"], "billing_configuration": {"document_locale": "fr"}}
    found = api.call("put", "billing_entities/de", {"billing_entity": changed}).json()["billing_entity"]
    assert (found["name"], found["city"], found["document_locale"]) == ("Acme AG", "Köln", "fr")
    assert [tax["code"] for tax in found["taxes"]] == ["vat"]


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"code": ""}, {"code": ["value_is_mandatory"]}),
        ({"code": "default"}, {"code": ["value_already_exist"]}),
        ({"name": None}, {"name": ["value_is_mandatory"]}),
        ({"default_currency": "XXX"}, {"default_currency": ["value_is_invalid"]}),
        ({"default_currency": None}, {"default_currency": ["value_is_mandatory"]}),
        ({"timezone": "Moon"}, {"timezone": ["invalid_timezone"]}),
        ({"country": "XX"}, {"country": ["not_a_valid_country_code"]}),
        ({"document_numbering": "random"}, {"document_numbering": ["value_is_invalid"]}),
        ({"document_number_prefix": "../x"}, {"document_number_prefix": ["value_is_invalid"]}),
        ({"document_number_prefix": "x" * 17}, {"document_number_prefix": ["value_is_too_long"]}),
        ({"email_settings": ["nonsense"]}, {"email_settings": ["value_is_invalid"]}),
        ({"email_settings": "invoice.finalized"}, {"email_settings": ["must_be_an_array"]}),
        ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": None}, {"net_payment_term": ["value_is_mandatory"]}),
        ({"einvoicing": True}, {"einvoicing": ["unsupported_value"]}),
        ({"eu_tax_management": True}, {"eu_tax_management": ["billing_entity_must_be_in_eu"]}),
        ({"accent_color": "red"}, {"accent_color": ["value_is_invalid"]}),
        ({"billing_configuration": {"document_locale": "xx"}}, {"document_locale": ["not_a_valid_language_code"]}),
    ],
)
def test_refuses(api: ApiClient, changes: dict[str, Any], details: dict[str, list[str]]) -> None:
    response = post(api, **changes)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == details
    assert BillingEntity.objects.count() == 1


def test_what_does_not_exist(api: ApiClient) -> None:
    assert api.read("billing_entities/none").json()["code"] == "billing_entity_not_found"
    assert api.call("put", "billing_entities/none", {"billing_entity": {"name": ""}}).status_code == 404
    assert post(api, tax_codes=["none"]).json()["code"] == "tax_not_found"


def test_the_organization_is_the_default_seller(api: ApiClient) -> None:
    changed = {
        "default_currency": "EUR",
        "country": "DE",
        "legal_name": "Acme GmbH",
        "timezone": "Europe/Berlin",
        "webhook_url": None,
        "billing_configuration": {"invoice_footer": "f", "invoice_grace_period": 1, "document_locale": "de"},
    }
    response = api.call("put", "organizations", {"organization": changed})
    assert response.status_code == 200, response.content
    installation, entity = Installation.objects.get(), BillingEntity.objects.get()
    assert response.json()["organization"] == {
        "lago_id": str(installation.uuid),
        "name": "Quittance",
        "slug": None,
        "default_currency": "EUR",
        "created_at": installation.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "webhook_url": "",
        "webhook_urls": [],
        "country": "DE",
        "address_line1": None,
        "address_line2": None,
        "state": None,
        "zipcode": None,
        "email": None,
        "city": None,
        "legal_name": "Acme GmbH",
        "legal_number": None,
        "timezone": "Europe/Berlin",
        "net_payment_term": 0,
        "email_settings": [],
        "document_numbering": "per_customer",
        "document_number_prefix": entity.document_number_prefix,
        "tax_identification_number": None,
        "finalize_zero_amount_invoice": True,
        "billing_configuration": {"invoice_footer": "f", "invoice_grace_period": 1, "document_locale": "de"},
        "events_store": "postgres",
        "taxes": [],
    }
    assert api.read("organizations").json() == response.json()
    assert entity.default_currency == "EUR"


def test_the_webhook_url_of_the_organization_is_that_of_its_first_endpoint(api: ApiClient) -> None:
    def put(url: str) -> Any:
        return api.call("put", "organizations", {"organization": {"webhook_url": url}})

    assert put("ftp://acme.test").json()["error_details"] == {"webhook_url": ["url_is_invalid"]}
    assert put("https://acme.test/a").json()["organization"]["webhook_urls"] == ["https://acme.test/a"]
    changed = put("https://acme.test/b").json()["organization"]
    assert (changed["webhook_url"], changed["webhook_urls"]) == ("https://acme.test/b", ["https://acme.test/b"])
    assert put("").json()["organization"]["webhook_url"] == "https://acme.test/b"  # nothing was asked for


def test_an_installation_that_is_not_set_up() -> None:
    response = ApiClient().read("organizations")
    assert (response.status_code, response.json()["code"]) == (404, "billing_entity_not_found")


def test_where_events_go_takes_the_right_to_webhook_endpoints() -> None:
    customers.make_default_entity()
    client = client_of(rights={"organization": ["read", "write"]})
    refused = client.call("put", "organizations", {"organization": {"webhook_url": "https://acme.test/a"}})
    assert (refused.status_code, refused.json()["code"]) == (403, "write_action_not_allowed_for_webhook_endpoint")
    assert client.call("put", "organizations", {"organization": {"name": "Acme"}}).status_code == 200
    assert client.read("organizations").json()["organization"]["webhook_urls"] == []
