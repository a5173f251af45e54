"""Nasty values in every field of every resource of the catalogue and the customers: refused with a reason or taken, and
never a fault of the server.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import catalog, customers
from tests.factories.platform import ApiClient

NASTY: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    10**15,
    2**63,
    10**400,
    1.5,
    -0.0,
    1e308,
    "",
    " ",
    "x",
    "x" * 300,
    "x" * 100_000,
    "0x10",
    "1e999999999",
    "NaN",
    "Infinity",
    "١٢٣",
    "\u202e\U0001f4a9",
    "'; DROP TABLE plans; --",
    "../../etc/passwd",
    "2026-02-30T25:61:61Z",
    [],
    [None],
    [[]],
    ["x"] * 300,
    [1, "a", {}, None],
    {},
    {"x": {"y": [{"z": None}]}},
    {"": ""},
    {"amount": {"amount": {}}},
    [{"key": {}, "values": [{}]}],
]

RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "billable_metrics": (
        "billable_metric",
        {
            "name": "n",
            "code": "fresh",
            "description": "d",
            "aggregation_type": "sum_agg",
            "field_name": "f",
            "event_code": "e",
            "rounding_function": "round",
            "rounding_precision": 1,
            "recurring": False,
            "expression": None,
            "filters": [{"key": "k", "values": ["v"]}],
        },
    ),
    "plans": (
        "plan",
        {
            "name": "n",
            "code": "fresh",
            "interval": "monthly",
            "amount_cents": 1,
            "amount_currency": "EUR",
            "pay_in_advance": False,
            "trial_period": 0,
            "tax_codes": ["vat"],
            "minimum_commitment": {},
            "usage_thresholds": [],
            "charges": [
                {
                    "billable_metric_id": "",
                    "charge_model": "graduated",
                    "code": "c",
                    "invoice_display_name": "i",
                    "tax_codes": ["vat"],
                    "properties": {
                        "graduated_ranges": [
                            {"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}
                        ]
                    },
                    "filters": [{"values": {"k": ["v"]}, "properties": {}, "invoice_display_name": "f"}],
                }
            ],
        },
    ),
    "taxes": ("tax", {"name": "n", "code": "fresh", "rate": 1.5, "description": "d", "applied_to_organization": True}),
    "customers": (
        "customer",
        {
            "external_id": "fresh",
            "name": "n",
            "email": "a@b.test",
            "url": "https://a.test",
            "country": "DE",
            "currency": "EUR",
            "timezone": "UTC",
            "net_payment_term": 1,
            "customer_type": "company",
            "finalize_zero_amount_invoice": "skip",
            "billing_entity_code": "default",
            "billing_configuration": {"invoice_grace_period": 1, "document_locale": "en"},
            "shipping_address": {"city": "c", "country": "DE"},
            "metadata": [{"key": "k", "value": "v", "display_in_invoice": True}],
            "tax_codes": ["vat"],
        },
    ),
    "billing_entities": (
        "billing_entity",
        {
            "code": "fresh",
            "name": "n",
            "timezone": "UTC",
            "default_currency": "EUR",
            "net_payment_term": 1,
            "document_numbering": "per_customer",
            "document_number_prefix": "P",
            "email_settings": ["invoice.finalized"],
            "finalize_zero_amount_invoice": True,
            "billing_configuration": {"invoice_footer": "f", "invoice_grace_period": 1, "document_locale": "en"},
            "tax_codes": ["vat"],
        },
    ),
}


def paths(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value inside."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    found = [path] if path else []
    for key, value in inner:
        found += paths(value, (*path, key))
    return found


PLACES = [(name, path) for name, (_, content) in RESOURCES.items() for path in paths(content)]


def spoiled(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return the content with another value at that place."""
    result = copy.deepcopy(content)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return result


def check(response: Any) -> None:
    """Fail on a fault, and on a refusal without a reason."""
    assert response.status_code in {200, 400, 404, 422}, response.content
    body = json.loads(response.content)
    if response.status_code == 422:
        assert body["error_details"]
        assert all(isinstance(code, str) and code for codes in body["error_details"].values() for code in codes)
    elif response.status_code != 200:
        assert body["error"]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    """A client of an installation that has what the good values refer to."""
    customers.make_default_entity()
    catalog.make_tax()
    metric = catalog.make_metric("old", filters=[{"key": "k", "values": ["v"]}])
    monkeypatch.setitem(RESOURCES["plans"][1]["charges"][0], "billable_metric_id", str(metric.uuid))
    return ApiClient()


def post(api: ApiClient, name: str, content: Any) -> Any:
    """Post in a savepoint that is rolled back: no example knows of another."""
    with transaction.atomic():
        response = api.call("post", name, content)
        transaction.set_rollback(True)
    return response


@pytest.mark.django_db
@pytest.mark.parametrize("name", list(RESOURCES))
def test_the_good_values_are_taken(api: ApiClient, name: str) -> None:
    root, content = RESOURCES[name]
    assert post(api, name, {root: content}).status_code == 200


@pytest.mark.django_db
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=st.sampled_from(NASTY))
def test_a_nasty_value_anywhere(api: ApiClient, place: tuple[str, tuple[Any, ...]], value: Any) -> None:
    name, path = place
    root, content = RESOURCES[name]
    check(post(api, name, {root: spoiled(content, path, value)}))


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(list(RESOURCES)),
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
)
def test_anything_at_all(api: ApiClient, name: str, content: Any) -> None:
    root, _ = RESOURCES[name]
    check(post(api, name, {root: content}))
    check(post(api, name, content if isinstance(content, dict | list) else {"x": content}))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "plans/%00",
        "plans/%FF%FE",
        "customers/%00",
        "customers/" + "x" * 3000,
        "taxes/%F0%9F%92%A9",
        "billable_metrics/'%22;--",
        "customers?search_term=%FF",
        "customers?metadata[=x&metadata[]=y&metadata[%00]=z",
        "customers?page=%00",
        "customers?currencies[]=" + "x" * 5000,
        "plans?search_term=" + "%25" * 500,
    ],
)
def test_nasty_addresses(path: str) -> None:
    response = ApiClient().read(path)
    assert response.status_code in {200, 400, 404}
    assert response.json()
