"""The description of the API is valid OpenAPI 3.1, whole, and the one that is kept in ``docs/api/openapi.yaml``."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml
from drf_spectacular import drainage, validation

from config.platform.api import glossary, schema_examples, schema_names, schema_statuses, schema_texts, schema_webhooks
from config.platform.services import outbox
from tests.factories import described

GOLDEN = pathlib.Path(__file__).parents[3] / "docs/api/openapi.yaml"
UNITS = {
    r"\w+_cents": r"minor units|hundredths",
    r"(\w+_)?rate": r"[Pp]ercent|fraction|worth",
    r"\w+_at": r"UTC|_period`",
    r"\w+_date(time)?": r"UTC|YYYY-MM-DD",
    r"(\w+_)?units": r"[Uu]nits|[Aa] decimal|each",
    r"\w+_on": r"day|YYYY-MM-DD|What becomes|Whether|UTC",
}
"""What the description of a field of such a name has to say."""

FREE = {"add_on", "grant_on", "pricing_units"}


def fields(schema: Any, path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield where, name and description of every field of a schema, nested ones too."""
    if isinstance(schema, list):
        for inner in schema:
            yield from fields(inner, path)
    if isinstance(schema, dict):
        for name, field in schema.get("properties", {}).items():
            yield path, name, field
            yield from fields(field, f"{path}.{name}")
        for key in ("items", "additionalProperties", "allOf", "anyOf", "oneOf"):
            yield from fields(schema.get(key), path)


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield method with path, and description, of every operation."""
    for path, methods in described.document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def references(content: Any) -> Iterator[str]:
    """Yield every reference in the document."""
    if isinstance(content, dict):
        if isinstance(content.get("$ref"), str):
            yield content["$ref"]
        for inner in content.values():
            yield from references(inner)
    if isinstance(content, list):
        for inner in content:
            yield from references(inner)


def test_it_is_openapi() -> None:
    document = described.document()
    assert document["openapi"] == "3.1.0"
    validation.validate_schema(document)
    for name, schema in document["components"]["schemas"].items():
        plain = {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"}
        assert jsonschema_rs.meta.is_valid(plain), name


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    document = described.document()
    found = set(references(document))
    for reference in found:
        part: Any = document
        for word in reference.removeprefix("#/").split("/"):
            assert word in part, reference
            part = part[word]
    unused = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]} - found
    assert not unused


def test_nothing_is_ambiguous() -> None:
    described.document()
    assert not drainage.GENERATOR_STATS, "manage.py spectacular --fail-on-warn says what is"


def test_every_operation_is_named_grouped_and_told() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in described.document()["tags"]}
    for place, operation in operations():
        assert re.fullmatch(r"[a-z][a-zA-Z0-9]+", operation["operationId"]), place
        assert schema_texts.LEAST <= len(operation["summary"]) <= schema_texts.MOST + 2, place
        assert operation["description"], place
        assert set(operation["tags"]) <= tags, place
        assert "200" in operation["responses"], place
        assert all(answer.get("description") or "$ref" in answer for answer in operation["responses"].values()), place


def test_every_tag_says_what_it_is() -> None:
    assert all(tag["description"] for tag in described.document()["tags"])


def test_every_parameter_is_described() -> None:
    missing = [
        f"{place} {parameter['name']}"
        for place, operation in operations()
        for parameter in operation.get("parameters", [])
        if "$ref" not in parameter and not parameter.get("description")
    ]
    assert not missing, "add them to config/platform/api/glossary/parameters.py"


def test_every_field_is_described() -> None:
    schemas = described.document()["components"]["schemas"]
    found = [one for name, schema in schemas.items() for one in fields(schema, name)]
    missing = [f"{path}.{name}" for path, name, field in found if not field.get("description")]
    assert not missing, "give them a help_text, or a word in config/platform/api/glossary"


def test_every_word_is_of_use() -> None:
    schemas = described.document()["components"]["schemas"]
    found = {
        (path.removesuffix("Request"), name) for key, schema in schemas.items() for path, name, _ in fields(schema, key)
    }
    names = {name for _, name in found}
    assert not {key for key in glossary.FIELDS if "." not in key} - names
    parts = {tuple(key.split(".")) for key in glossary.FIELDS if "." in key}
    assert not {(part.removesuffix("Request"), name) for part, name in parts} - found


@pytest.mark.parametrize("pattern", list(UNITS))
def test_every_figure_says_its_unit(pattern: str) -> None:
    schemas = described.document()["components"]["schemas"]
    found = [one for name, schema in schemas.items() for one in fields(schema, name)]
    silent = {
        f"{path}.{name}: {field['description']}"
        for path, name, field in found
        if re.fullmatch(pattern, name)
        and name not in FREE
        and field.get("type") != "boolean"
        and field.get("description")
        and not re.search(UNITS[pattern], field["description"])
    }
    assert not silent


def test_refusals_follow_from_what_an_operation_is() -> None:
    paths = described.document()["paths"]
    made = set(paths["/api/v1/plans"]["post"]["responses"])
    read = set(paths["/api/v1/plans/{code}"]["get"]["responses"])
    assert {"200", "400", "401", "403", "404", "405", "409", "413", "415", "422", "429"} <= made
    assert not {"409", "413", "415"} & read
    file = paths["/api/v1/files/{token}/{name}"]["get"]["responses"]
    assert not {"401", "403"} & set(file)
    assert set(described.document()["components"]["responses"]) == {name for name, _ in schema_statuses.TABLE.values()}


def test_every_kind_of_event_is_a_webhook_with_a_payload() -> None:
    document = described.document()
    assert set(document["webhooks"]) == {name for name in outbox.event_types() if not name.startswith("test_")}
    shapeless = schema_webhooks.shapeless(document["components"]["schemas"])
    assert not [name for name in shapeless if not name.startswith("test_")]
    created = document["webhooks"]["invoice.created"]["post"]
    envelope = created["requestBody"]["content"]["application/json"]["schema"]
    assert envelope["properties"]["webhook_type"]["const"] == "invoice.created"
    assert envelope["required"][-1] == "invoice"
    assert {"X-Lago-Signature", "X-Lago-Unique-Key"} <= {header["name"] for header in created["parameters"]}


def test_examples_are_right() -> None:
    document = described.document()
    shown = {operation["operationId"]: place for place, operation in operations()}
    for name, body in schema_examples.EXAMPLES.items():
        method, path = shown[name].split()
        validator = described.request_validator(path, method.lower())
        assert validator.is_valid(body), name
        assert document["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["examples"]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api/v1/plans", "findAllPlans"),
        ("GET", "/api/v1/plans/{code}", "findPlan"),
        ("POST", "/api/v1/plans", "createPlan"),
        ("PUT", "/api/v1/plans/{code}/charges/{charge_code}", "updatePlanCharge"),
        ("DELETE", "/api/v1/taxes/{code}", "destroyTax"),
        ("GET", "/api/v1/billing_entities", "listBillingEntities"),
        ("POST", "/api/v1/subscriptions/{external_id}/pause", "pauseSubscription"),
        ("GET", "/api/v1/customers/{external_id}/current_usage", "findCustomerCurrentUsage"),
        ("POST", "/api/v1/late_usage/{lago_id}/decide", "decideLateUsage"),
    ],
)
def test_names_of_operations(method: str, path: str, name: str) -> None:
    assert schema_names.operation_id(method, path) == name


def test_operations_have_the_names_of_the_clients() -> None:
    known = """applyCoupon createBatchEvents createCustomer createEntitlement deleteAllCustomerWalletAlerts
        deleteAllWalletMetadata deleteAppliedCoupon deleteFeaturePrivilege deleteInvoice deleteSubscriptionAlert
        destroyCustomer destroyPaymentMethod destroyPlanChargeFilter eventBatchEstimateInstantFees eventEstimateFees
        eventEstimateInstantFees fetchJsonPublicKey fetchPublicKey findAllCustomersPaymentMethods findAllEntitlements
        findAllInvoices generateCustomerCheckoutUrl getBillingEntity getCustomerPortalUrl getCustomerWalletAlert
        getSubscriptionAlerts getSubscriptionLifetimeUsage listBillingEntities loseDisputeInvoice
        overrideSubscriptionCharge overrideSubscriptionFixedCharge paymentMethodSetAsDefault
        removeEntitlementPrivilege updateEntitlement walletTransactionPaymentUrl"""
    assert not set(known.split()) - {operation["operationId"] for _, operation in operations()}


@pytest.mark.parametrize(
    ("docstring", "summary"),
    [
        ("Make a plan.", "Make a plan"),
        ("Retire a tax; it stays on documents. And more.", "Retire a tax"),
        ("Show it.", "Find plan"),
        ("Return it with its ``file_url``.", "Return it with its `file_url`"),
        ("x" * 60 + ", " + "y" * 60, "x" * 60),
    ],
)
def test_summaries(docstring: str, summary: str) -> None:
    assert schema_texts.summary(docstring, "findPlan")[0] == summary


def test_it_is_the_one_that_is_kept() -> None:
    kept = yaml.load(GOLDEN.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    same = kept == described.document()
    assert same, "`make schema` renews docs/api/openapi.yaml; look at what changed"
