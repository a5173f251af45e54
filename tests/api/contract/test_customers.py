"""What the API tells of whom we bill and who sells: customers, their coupons, billing entities, the organization."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.contract import shapes, story, usage_shapes
from tests.factories import customers
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


def names(found: Any, root: str, key: str) -> list[str]:
    assert found.status_code == 200, found.content
    return [row[key] for row in found.json()[root]]


def test_every_field_is_there() -> None:
    customers.make_default_entity()
    api = ApiClient()
    made = story.tell(api)
    faults = [f"POST{fault}" for fault in shapes.wrong(made["customer"], shapes.CUSTOMER)]
    faults += shapes.wrong(api.read("customers/acme").json()["customer"], shapes.CUSTOMER)
    listed = api.read("customers").json()
    faults += shapes.wrong(listed, {"customers": [shapes.CUSTOMER_IN_LISTS], "meta": shapes.PAGE})

    applied = story.made(
        api, "applied_coupons", "applied_coupon", {"external_customer_id": "acme", "coupon_code": "ten"}
    )
    faults += shapes.wrong(applied, shapes.APPLIED_COUPON)
    for path in ("applied_coupons", "customers/acme/applied_coupons"):
        found = api.read(path).json()
        spec = {"applied_coupons": [{**shapes.APPLIED_COUPON, "credits": "list"}], "meta": shapes.PAGE}
        faults += shapes.wrong(found, spec)
    gone = api.call("delete", f"customers/acme/applied_coupons/{applied['lago_id']}")
    faults += shapes.wrong(gone.json()["applied_coupon"], shapes.APPLIED_COUPON)
    assert (gone.status_code, gone.json()["applied_coupon"]["status"]) == (200, "terminated")

    entities = api.read("billing_entities").json()
    assert entities.keys() == {"billing_entities"}  # no pages
    faults += shapes.wrong(entities["billing_entities"], [shapes.ENTITY_IN_LISTS])
    code = entities["billing_entities"][0]["code"]
    content = {"name": "Us", "tax_codes": ["vat"], "invoice_custom_section_codes": ["thanks"], "unknown": 1}
    changed = api.call("put", f"billing_entities/{code}", {"billing_entity": content}).json()
    faults += shapes.wrong(changed["billing_entity"], shapes.ENTITY)
    faults += shapes.wrong(api.read(f"billing_entities/{code}").json()["billing_entity"], shapes.ENTITY)
    faults += shapes.wrong(api.read("organizations").json()["organization"], shapes.ORGANIZATION)
    assert faults == []

    deleted = api.call("delete", "customers/acme").json()["customer"]
    assert shapes.wrong(deleted, {**shapes.CUSTOMER, "applicable_invoice_custom_sections": "list"}) == []
    assert api.read("customers/acme").json()["code"] == "customer_not_found"  # hidden once it is deleted
    assert api.read("customers").json()["meta"]["total_count"] == 0


def test_a_customer_is_made_once_and_changed_by_what_is_sent() -> None:
    customers.make_default_entity()
    api = ApiClient()
    made = story.tell(api)["customer"]
    assert made["finalize_zero_amount_invoice"] == "inherit"
    (note,) = made["metadata"]

    same = story.made(api, "customers", "customer", {"external_id": "acme", "name": "Acme 2"})
    assert (same["lago_id"], same["name"], same["city"]) == (made["lago_id"], "Acme 2", "Berlin")
    assert (same["metadata"], same["taxes"][0]["code"]) == ([note], "vat")  # absent keys leave things as they are
    notes = [{"id": note["lago_id"], "key": "level", "value": "1"}, {"key": "new", "value": "2"}]
    merged = story.made(api, "customers", "customer", {"external_id": "acme", "metadata": notes})["metadata"]
    assert [(row["key"], row["value"]) for row in merged] == [("level", "1"), ("new", "2")]
    assert merged[0]["lago_id"] == note["lago_id"]
    many = [{"key": f"k{number}", "value": "v"} for number in range(6)]
    for content, details in (
        ({"metadata": many}, {"metadata": ["invalid_count"]}),
        ({"currency": "XXY"}, {"currency": ["value_is_invalid"]}),
        ({"country": "ZZ"}, {"country": ["not_a_valid_country_code"]}),
        ({"timezone": "Mars/Base"}, {"timezone": ["invalid_timezone"]}),
        ({"customer_type": "robot"}, {"customer_type": ["value_is_invalid"]}),
        ({"account_type": "partner"}, {"account_type": ["unsupported_value"]}),
        ({"external_id": None}, {"external_id": ["value_is_mandatory"]}),
    ):
        refused = api.call("post", "customers", {"customer": {"external_id": "acme", **content}})
        assert (refused.status_code, refused.json().get("error_details")) == (422, details), content
    unknown = {"external_id": "acme", "tax_codes": ["none"]}
    assert api.call("post", "customers", {"customer": unknown}).json()["code"] == "tax_not_found"
    assert api.read("customers/acme").json()["customer"]["metadata"] == merged


FILTERS = [
    ("search_term=BETA", ["beta"]),
    ("external_id=acme", ["acme"]),
    ("currencies[]=EUR&currencies[]=USD", ["beta", "acme"]),
    ("countries[]=FR", ["beta"]),
    ("states[]=BE", ["acme"]),
    ("zipcodes[]=10115", ["acme"]),
    ("billing_entity_codes[]=none", []),
    ("account_type[]=customer", ["plain/x", "beta", "acme"]),
    ("account_type[]=partner", []),
    ("customer_type=individual", ["beta"]),
    ("has_customer_type=false", ["plain/x"]),
    ("has_tax_identification_number=true", ["acme"]),
    ("metadata[tier]=gold", ["acme"]),
    ("metadata[tier]=", ["plain/x", "beta"]),
    ("per_page=1&page=2", ["beta"]),
    ("page=9", []),
]


def test_lists_are_narrowed() -> None:
    customers.make_default_entity()
    api = ApiClient()
    story.tell(api)
    second = {"external_id": "beta", "name": "Beta", "currency": "USD", "country": "FR", "customer_type": "individual"}
    story.made(api, "customers", "customer", second)
    story.made(api, "customers", "customer", {"external_id": "plain/x"})
    for query, expected in FILTERS:
        assert names(api.get(f"/api/v1/customers?{query}"), "customers", "external_id") == expected, query
    meta = api.read("customers", per_page=2).json()["meta"]
    assert meta == {"current_page": 1, "next_page": 2, "prev_page": None, "total_pages": 2, "total_count": 3}
    assert api.get("/api/v1/customers?has_customer_type=maybe").status_code == 422
    for status, expected in (("active", 0), ("terminated", 0)):
        assert api.read("applied_coupons", status=status).json()["meta"]["total_count"] == expected


def test_payment_methods_and_checkout() -> None:
    customers.make_default_entity()
    customers.make_customer()
    api = ApiClient()
    assert api.read("customers/acme/payment_methods").json() == {
        "payment_methods": [],
        "meta": {"current_page": 0, "next_page": None, "prev_page": None, "total_pages": 0, "total_count": 0},
    }
    checkout = api.call("post", "customers/acme/checkout_url")
    assert (checkout.status_code, checkout.json()["error_details"]) == (422, {"base": ["no_linked_payment_provider"]})
    one = "customers/acme/payment_methods/00000000-0000-4000-8000-000000000000"
    for method, path in (("delete", one), ("put", f"{one}/set_as_default")):
        assert api.call(method, path).json()["code"] == "payment_method_not_found"
    for method, path in (("get", "customers/none/payment_methods"), ("post", "customers/none/checkout_url")):
        assert api.call(method, path).json()["code"] == "customer_not_found"


def test_alerts_of_wallets() -> None:
    customers.make_default_entity()
    customers.make_customer(currency="EUR")
    api = ApiClient()
    wallet = {"name": "Main", "code": "main", "rate_amount": "1", "currency": "EUR", "external_customer_id": "acme"}
    story.made(api, "wallets", "wallet", wallet)
    path = "customers/acme/wallets/main/alerts"
    spec = {**usage_shapes.ALERT, "billable_metric": "none", "lago_wallet_id": "uuid", "wallet_code": "text"}
    content = {"alert_type": "wallet_balance_amount", "code": "low", "name": "Low", "thresholds": [{"value": "500"}]}
    made = story.made(api, path, "alert", content)
    assert shapes.wrong(made, spec) == []
    assert (made["direction"], made["external_subscription_id"]) == ("decreasing", None)
    assert shapes.wrong(api.read(path).json(), {"alerts": [spec], "meta": shapes.PAGE}) == []
    repeated = api.call("post", path, {"alert": content})
    assert (repeated.status_code, repeated.json()["code"]) == (422, "validation_errors")
    assert api.call("put", f"{path}/low", {"alert": {"name": "Lower"}}).json()["alert"]["name"] == "Lower"
    assert api.read(f"{path}/none").json()["code"] == "alert_not_found"
    assert api.read("customers/acme/wallets/none/alerts").json()["code"] == "wallet_not_found"
    assert api.call("delete", f"{path}/low").json()["alert"]["code"] == "low"


def test_sellers_and_the_organization_change_by_what_is_sent() -> None:
    customers.make_default_entity()
    api = ApiClient()
    content = {
        "country": "FR",
        "default_currency": "USD",
        "address_line1": "1",
        "zipcode": "75001",
        "city": "Paris",
        "email": "a@example.com",
        "legal_name": "SA",
        "legal_number": "1",
        "net_payment_term": 30,
        "tax_identification_number": "FR1",
        "timezone": "Europe/Paris",
        "document_numbering": "per_billing_entity",
        "document_number_prefix": "ABC",
        "finalize_zero_amount_invoice": False,
        "email_settings": ["invoice.finalized"],
        "webhook_url": "",
        "billing_configuration": {"invoice_footer": "f", "invoice_grace_period": 2, "document_locale": "fr"},
    }
    found = api.call("put", "organizations", {"organization": content}).json()["organization"]
    same = content.keys() - {"webhook_url"}
    assert {name: found[name] for name in same} == {name: content[name] for name in same}
    assert api.read("billing_entities").json()["billing_entities"][0]["city"] == "Paris"

    entity = {"code": "us/1", "name": "US", **{k: v for k, v in content.items() if k != "webhook_url"}, "phone": "1"}
    made = story.made(api, "billing_entities", "billing_entity", {**entity, "document_number_prefix": "US"})
    assert (made["code"], made["phone"], made["invoice_grace_period"], made["is_default"]) == ("us/1", "1", 2, False)
    repeated = api.call("post", "billing_entities", {"billing_entity": entity})
    assert repeated.json()["error_details"]["code"] == ["value_already_exist"]
    for method, path in (("get", "billing_entities/none"), ("put", "billing_entities/none")):
        body = {"billing_entity": {"name": "x"}} if method == "put" else None
        assert api.call(method, path, body).json()["code"] == "billing_entity_not_found"
