"""``/customers``: upsert, shapes, codes of refusals, lists and their filters, retiring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from config.kernel import events
from customers.domain.facts import CustomerDeleted
from customers.models import Customer, CustomerMetadata
from tests.factories import catalog, customers
from tests.factories.platform import AT, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    customers.make_default_entity()
    return ApiClient()


@pytest.fixture
def deleted() -> Iterator[list[CustomerDeleted]]:
    """The facts told while the test runs, instead of to the installation's own listeners."""
    told: list[CustomerDeleted] = []
    kept = events.type_subscribers[CustomerDeleted]
    events.type_subscribers[CustomerDeleted] = [told.append]
    yield told
    events.type_subscribers[CustomerDeleted] = kept


def post(api: ApiClient, **content: Any) -> Any:
    return api.call("post", "customers", {"customer": {"external_id": "acme", **content}})


def test_the_shape_of_a_customer(api: ApiClient) -> None:
    catalog.make_tax()
    with time_machine.travel(AT, tick=False):
        response = post(
            api,
            name="Acme",
            customer_type="company",
            country="DE",
            city="Köln",
            zipcode="50667",
            email="a@acme.test,b@acme.test",
            url="https://acme.test/x",
            currency="EUR",
            timezone="Europe/Berlin",
            net_payment_term=14,
            tax_identification_number="DE136695976",
            billing_configuration={"invoice_grace_period": 3, "document_locale": "de", "payment_provider": None},
            shipping_address={"city": "Bonn", "country": "DE"},
            metadata=[{"key": "tier", "value": "gold", "display_in_invoice": True}],
            tax_codes=["vat"],
            integration_customers=[],
            unknown="dropped",
        )
    assert response.status_code == 200, response.content
    customer = Customer.objects.get()
    found = response.json()["customer"]
    note = CustomerMetadata.objects.get()
    assert found.pop("taxes")[0]["code"] == "vat"
    assert found == {
        "lago_id": str(customer.uuid),
        "billing_entity_code": "default",
        "external_id": "acme",
        "account_type": "customer",
        "name": "Acme",
        "firstname": None,
        "lastname": None,
        "customer_type": "company",
        "sequential_id": 1,
        "slug": f"{customer.billing_entity.document_number_prefix}-001",
        "created_at": "2026-05-04T12:00:00Z",
        "updated_at": "2026-05-04T12:00:00Z",
        "country": "DE",
        "address_line1": None,
        "address_line2": None,
        "state": None,
        "zipcode": "50667",
        "email": "a@acme.test,b@acme.test",
        "city": "Köln",
        "url": "https://acme.test/x",
        "phone": None,
        "logo_url": None,
        "legal_name": None,
        "legal_number": None,
        "currency": "EUR",
        "tax_identification_number": "DE136695976",
        "tax_decision": None,
        "tax_exemption": None,
        "timezone": "Europe/Berlin",
        "applicable_timezone": "Europe/Berlin",
        "net_payment_term": 14,
        "external_salesforce_id": None,
        "finalize_zero_amount_invoice": "inherit",
        "billing_configuration": {
            "invoice_grace_period": 3,
            "payment_provider": None,
            "payment_provider_code": None,
            "document_locale": "de",
            "subscription_invoice_issuing_date_anchor": None,
            "subscription_invoice_issuing_date_adjustment": None,
        },
        "shipping_address": {
            "address_line1": None,
            "address_line2": None,
            "city": "Bonn",
            "zipcode": None,
            "state": None,
            "country": "DE",
        },
        "skip_invoice_custom_sections": False,
        "metadata": [
            {
                "lago_id": str(note.uuid),
                "key": "tier",
                "value": "gold",
                "display_in_invoice": True,
                "created_at": "2026-05-04T12:00:00Z",
            }
        ],
        "integration_customers": [],
        "applicable_invoice_custom_sections": [],
        "error_details": [],
    }


def test_the_least_there_can_be(api: ApiClient) -> None:
    found = post(api).json()["customer"]
    assert (found["name"], found["currency"], found["applicable_timezone"]) == (None, None, "UTC")
    assert found["net_payment_term"] is None
    assert api.read("customers/acme").json()["customer"] == found


def test_a_second_post_changes_what_it_names(api: ApiClient) -> None:
    with time_machine.travel(AT, tick=False):
        first = post(api, name="Acme", city="Köln", net_payment_term=14).json()["customer"]
    with time_machine.travel(AT + timedelta(days=1), tick=False):
        second = post(api, city="", net_payment_term=None, legal_name="Acme GmbH").json()["customer"]
    assert second["lago_id"] == first["lago_id"]
    assert (second["name"], second["city"], second["net_payment_term"]) == ("Acme", None, None)
    assert (second["created_at"], second["updated_at"]) == ("2026-05-04T12:00:00Z", "2026-05-05T12:00:00Z")
    assert Customer.objects.count() == 1


def test_the_same_again_changes_nothing(api: ApiClient) -> None:
    content = {"name": "Acme", "metadata": [{"key": "a", "value": "b"}], "tax_codes": []}
    with time_machine.travel(AT, tick=False):
        first = post(api, **content).json()
    with time_machine.travel(AT + timedelta(days=1), tick=False):
        assert post(api, **content).json() == first


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"external_id": ""}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": None}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": "x" * 256}, {"external_id": ["value_is_too_long"]}),
        ({"external_id": {"a": 1}}, {"external_id": ["value_is_invalid"]}),
        ({"currency": "XXX"}, {"currency": ["value_is_invalid"]}),
        ({"currency": "EURO"}, {"currency": ["value_is_too_long"]}),
        ({"country": "XX"}, {"country": ["not_a_valid_country_code"]}),
        ({"country": "de"}, {"country": ["not_a_valid_country_code"]}),
        ({"timezone": "Mars/Olympus"}, {"timezone": ["invalid_timezone"]}),
        ({"timezone": "../etc/passwd"}, {"timezone": ["invalid_timezone"]}),
        ({"email": "nobody"}, {"email": ["invalid_email_format"]}),
        ({"email": "a@b.test\nBcc: c@d.test"}, {"email": ["invalid_email_format"]}),
        ({"email": "a@b.test, <script>"}, {"email": ["invalid_email_format"]}),
        ({"email": ",,"}, {"email": ["invalid_email_format"]}),
        ({"url": "javascript:alert(1)"}, {"url": ["url_is_invalid"]}),
        ({"logo_url": "acme"}, {"logo_url": ["url_is_invalid"]}),
        ({"customer_type": "robot"}, {"customer_type": ["value_is_invalid"]}),
        ({"finalize_zero_amount_invoice": "maybe"}, {"finalize_zero_amount_invoice": ["value_is_invalid"]}),
        ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": 3651}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": 10**30}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": "soon"}, {"net_payment_term": ["value_is_invalid"]}),
        ({"billing_configuration": []}, {"billing_configuration": ["value_is_invalid"]}),
        (
            {"billing_configuration": {"invoice_grace_period": -1}},
            {"billing_configuration.invoice_grace_period": ["value_is_out_of_range"]},
        ),
        ({"billing_configuration": {"document_locale": "xx"}}, {"document_locale": ["not_a_valid_language_code"]}),
        (
            {"billing_configuration": {"payment_provider": "stripe"}},
            {"billing_configuration.payment_provider": ["unsupported_value"]},
        ),
        ({"shipping_address": "x"}, {"shipping_address": ["value_is_invalid"]}),
        ({"shipping_address": {"country": "XX"}}, {"shipping_address.country": ["not_a_valid_country_code"]}),
        ({"account_type": "partner"}, {"account_type": ["unsupported_value"]}),
        ({"integration_customers": [{"x": 1}]}, {"integration_customers": ["unsupported_value"]}),
        ({"metadata": {}}, {"metadata": ["must_be_an_array"]}),
        ({"metadata": [{"value": "x"}]}, {"metadata.0.key": ["value_is_mandatory"]}),
        ({"metadata": [{"key": str(n)} for n in range(6)]}, {"metadata": ["invalid_count"]}),
        ({"metadata": [{"key": "a"}, {"key": "a"}]}, {"metadata": ["value_is_duplicated"]}),
        ({"tax_codes": {}}, {"tax_codes": ["must_be_an_array"]}),
    ],
)
def test_refuses(api: ApiClient, changes: dict[str, Any], details: dict[str, list[str]]) -> None:
    response = post(api, **changes)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == details
    assert Customer.objects.count() == 0


def test_what_does_not_exist(api: ApiClient) -> None:
    assert post(api, tax_codes=["none"]).json()["code"] == "tax_not_found"
    assert post(api, billing_entity_code="none").json()["code"] == "billing_entity_not_found"
    assert api.read("customers/acme").json()["code"] == "customer_not_found"
    assert api.call("delete", "customers/acme").json()["code"] == "customer_not_found"
    assert Customer.objects.count() == 0


def test_customers_are_numbered_over_all_entities(api: ApiClient) -> None:
    customers.make_entity("uk", document_number_prefix="UK")
    post(api)
    second = post(api, external_id="second", billing_entity_code="uk").json()["customer"]
    assert (second["sequential_id"], second["slug"], second["billing_entity_code"]) == (2, "UK-002", "uk")


def test_metadata_is_the_full_list_and_keeps_ids(api: ApiClient) -> None:
    rows = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    a, b = post(api, metadata=rows).json()["customer"]["metadata"]
    swapped = [{"id": a["lago_id"], "key": "b", "value": "1"}, {"id": b["lago_id"], "key": "a", "value": "2"}]
    found = post(api, metadata=swapped).json()["customer"]["metadata"]
    assert [(row["lago_id"], row["key"]) for row in found] == [(a["lago_id"], "b"), (b["lago_id"], "a")]
    found = post(api, metadata=[{"key": "b", "value": "3"}]).json()["customer"]["metadata"]
    assert [(row["lago_id"], row["value"]) for row in found] == [(a["lago_id"], "3")]
    assert len(post(api, name="x").json()["customer"]["metadata"]) == 1
    assert post(api, metadata=[]).json()["customer"]["metadata"] == []


def test_an_external_id_may_hold_anything(api: ApiClient) -> None:
    for external_id in ("a/b", "ü €", "a.b?c", "x" * 255):
        post(api, external_id=external_id)
    assert api.read("customers/a/b").json()["customer"]["external_id"] == "a/b"
    assert api.read("customers/a%2Fb").json()["customer"]["external_id"] == "a/b"
    assert api.read("customers/%C3%BC%20%E2%82%AC").json()["customer"]["external_id"] == "ü €"
    assert api.read("customers/a.b%3Fc").json()["customer"]["external_id"] == "a.b?c"


def test_a_retired_customer_is_gone_and_its_id_free(api: ApiClient, deleted: list[CustomerDeleted]) -> None:
    first = post(api, name="Acme").json()["customer"]
    with time_machine.travel(AT, tick=False):
        assert api.call("delete", "customers/acme").json()["customer"]["lago_id"] == first["lago_id"]
    assert deleted == [CustomerDeleted(customer_id=Customer.objects.get().pk, at=AT)]
    assert api.read("customers/acme").status_code == 404
    assert api.read("customers").json()["customers"] == []
    second = post(api).json()["customer"]
    assert second["lago_id"] != first["lago_id"]
    assert second["slug"] != first["slug"]


def test_who_listens_may_refuse_to_let_a_customer_go(api: ApiClient, deleted: list[CustomerDeleted]) -> None:
    post(api)

    def refuse(fact: CustomerDeleted) -> None:
        raise events_refusal

    events_refusal = customers.refusal("customer_in_use")
    events.type_subscribers[CustomerDeleted] = [refuse]
    response = api.call("delete", "customers/acme")
    assert (response.status_code, response.json()["code"]) == (405, "customer_in_use")
    assert Customer.objects.get().deleted_at is None


LISTED = [
    {"external_id": "a", "name": "Anna", "currency": "EUR", "country": "DE", "customer_type": "individual"},
    {"external_id": "b", "name": "Bolt", "currency": "USD", "country": "US", "state": "CA", "zipcode": "94103"},
    {"external_id": "c", "legal_name": "Anna & Co", "currency": "EUR", "tax_identification_number": "X1"},
    {"external_id": "d", "email": "d@anna.test", "billing_entity_code": "uk", "metadata": [{"key": "k", "value": "v"}]},
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "d c b a"),
        ("search_term=anna", "d c a"),
        ("search_term=%25", ""),
        ("external_id=b", "b"),
        ("currencies[]=EUR", "c a"),
        ("currencies[]=EUR&currencies[]=USD", "c b a"),
        ("countries[]=US&states[]=CA&zipcodes[]=94103", "b"),
        ("billing_entity_codes[]=uk", "d"),
        ("customer_type=individual", "a"),
        ("has_customer_type=true", "a"),
        ("has_customer_type=false", "d c b"),
        ("has_tax_identification_number=true", "c"),
        ("account_type[]=customer", "d c b a"),
        ("account_type[]=partner", ""),
        ("metadata[k]=v", "d"),
        ("metadata[k]=w", ""),
        ("metadata[k]=", "c b a"),
        ("per_page=2&page=2", "b a"),
    ],
)
def test_lists(api: ApiClient, query: str, found: str) -> None:
    customers.make_entity("uk")
    for content in LISTED:
        assert post(api, **content).status_code == 200
    rows = api.read(f"customers?{query}").json()["customers"]
    assert [row["external_id"] for row in rows] == found.split()


@pytest.mark.parametrize("query", ["has_customer_type=perhaps", "account_type[]=robot"])
def test_filters_that_cannot_be_read(api: ApiClient, query: str) -> None:
    assert api.read(f"customers?{query}").status_code == 422


def test_a_list_costs_the_same_however_long(api: ApiClient, django_assert_num_queries: Any) -> None:
    catalog.make_tax()
    for number in range(5):
        post(api, external_id=f"c{number}", tax_codes=["vat"], metadata=[{"key": "k", "value": "v"}])
    api.read("customers")
    # key, count, customers with entities, metadata, taxes, default taxes
    with django_assert_num_queries(6):
        assert len(api.read("customers").json()["customers"]) == 5


def test_as_many_notes_can_be_asked_for_as_a_customer_has(api: ApiClient) -> None:
    refused = api.read("customers", **{f"metadata[{key}]": "x" for key in "abcdef"})
    assert (refused.status_code, refused.json()["error_details"]) == (422, {"metadata": ["invalid_count"]})
    assert api.read("customers", **{f"metadata[{key}]": "x" for key in "abcde"}).status_code == 200
