"""Quotes through the API: made, changed, approved, signed and executed, in the wire names of the reference."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import time_machine

from billing.models import Contract, Order, QuoteVersion
from config.platform.models import Installation
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.platform import ApiClient
from tests.factories.told import Told

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Any:
    Installation.objects.get_or_create(singleton=True)
    goods.make_plan("platform", cents=31000, pay_in_advance=True)
    parties.make_customer(parties.make_entity())
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False):
        yield ApiClient()


def content(**values: Any) -> dict[str, Any]:
    return {
        "name": "Platform 2026",
        "external_customer_id": "c1",
        "valid_until": "2026-01-31",
        "terms": made.terms("platform"),
        **values,
    }


def make(api: ApiClient, **values: Any) -> dict[str, Any]:
    """Make a quote."""
    response = api.call("post", "quotes", {"quote": content(**values)})
    assert response.status_code == 200, response.json()
    found: dict[str, Any] = response.json()["quote"]
    return found


def test_a_quote_is_made_and_changed(api: ApiClient) -> None:
    quote = make(api)

    assert (quote["number"], quote["order_type"], quote["state"]) == ("QT-2026-0001", "subscription_creation", "draft")
    assert (quote["external_customer_id"], quote["owners"]) == ("c1", [])
    version = quote["current_version"]
    assert (version["version"], version["status"], version["total_amount_cents"]) == (1, "draft", 372000)
    assert version["billing_items"]["plans"][0]["plan_code"] == "platform"

    changed = api.call(
        "put",
        f"quote_versions/{version['lago_id']}",
        {"quote_version": {"terms": made.terms("platform", term_months=6), "introduction": "Dear all"}},
    ).json()["quote_version"]
    assert (changed["total_amount_cents"], changed["content"], changed["valid_until"]) == (
        186000,
        "Dear all",
        "2026-01-31",
    )
    totals = api.get(f"/api/v1/quote_versions/{version['lago_id']}/totals").json()["totals"]
    assert totals["total_amount"] == "1860"
    renamed = api.call("put", f"quotes/{quote['lago_id']}", {"quote": {"name": "Other"}}).json()["quote"]
    assert renamed["name"] == "Other"
    listed = api.get("/api/v1/quotes?state[]=draft&external_customer_id=c1").json()
    assert [row["number"] for row in listed["quotes"]] == ["QT-2026-0001"]
    assert api.get("/api/v1/quotes?state[]=sent").json()["quotes"] == []


def test_from_approval_to_the_order(api: ApiClient) -> None:
    version = make(api)["current_version"]["lago_id"]

    approved = api.call("post", f"quote_versions/{version}/approve", {}).json()["quote_version"]
    assert (approved["status"], approved["state"]) == ("approved", "approved")
    (form,) = api.get("/api/v1/order_forms").json()["order_forms"]
    assert (form["number"], form["status"], form["signed_at"]) == ("OF-2026-0001", "generated", None)
    wrong = api.call("post", f"order_forms/{form['lago_id']}/mark_as_signed", {"order_form": {"signed_document": "%%"}})
    assert (wrong.status_code, wrong.json()["error_details"]) == (422, {"signed_document": ["invalid_format"]})
    scan = base64.b64encode(b"%PDF-1.7").decode()
    signed = api.call(
        "post",
        f"order_forms/{form['lago_id']}/mark_as_signed",
        {"order_form": {"signed_document": f"data:application/pdf;base64,{scan}", "execution_mode": "order_only"}},
    ).json()["order_form"]
    assert (signed["status"], signed["signer_name"]) == ("signed", "C1")
    (order,) = api.get("/api/v1/orders").json()["orders"]
    assert (order["status"], order["execution_mode"], order["execution_record"]) == ("created", "order_only", None)
    assert not Contract.objects.exists()

    done = api.call("post", f"orders/{order['lago_id']}/execute", {}).json()["order"]

    assert (done["status"], done["execution_mode"]) == ("executed", "execute_in_lago")
    assert done["execution_record"]["invoice_id"] == done["execution_record"]["invoice_ids"][0]
    assert len(done["execution_record"]["subscription_ids"]) == 1
    assert done["contract_number"] == Contract.objects.get().number
    again = api.call("post", f"orders/{order['lago_id']}/execute", {})
    assert (again.status_code, again.json()["code"]) == (405, "order_is_executed")
    assert api.get(f"/api/v1/quote_versions/{version}").json()["quote_version"]["status"] == "approved"


def test_a_consent_of_a_person_is_no_programs(api: ApiClient) -> None:
    made.rule("6", subject="term_months")
    version = make(api)["current_version"]["lago_id"]

    refused = api.call("post", f"quote_versions/{version}/approve", {})

    assert (refused.status_code, refused.json()["code"]) == (405, "quote_needs_approval")
    submitted = api.call("post", f"quote_versions/{version}/submit", {}).json()["quote_version"]
    assert (submitted["status"], submitted["state"]) == ("draft", "in_approval")
    assert submitted["approvals"][0]["cause"] == "term of 12 months is above 6 months"
    sent = api.call("post", f"quote_versions/{version}/send", {"quote_version": {"to": ["a@example.com"]}})
    assert (sent.status_code, sent.json()["code"]) == (405, "quote_is_not_approved")
    voided = api.call("post", f"quote_versions/{version}/void", {"quote_version": {"void_reason": "Too long"}}).json()
    assert (voided["quote_version"]["status"], voided["quote_version"]["void_reason"]) == ("voided", "Too long")
    cloned = api.call("post", f"quote_versions/{version}/clone", {}).json()["quote_version"]
    assert (cloned["version"], cloned["status"]) == (2, "draft")
    assert QuoteVersion.objects.count() == 2


def test_a_quote_is_sent_and_voided(api: ApiClient) -> None:
    told = Told()
    version = make(api)["current_version"]["lago_id"]
    api.call("post", f"quote_versions/{version}/approve", {})

    form = api.call(
        "post", f"quote_versions/{version}/send", {"quote_version": {"to": ["ada@example.com"], "message": "Hello"}}
    ).json()["order_form"]
    assert form["sent_at"] == "2026-01-01T10:00:00Z"
    voided = api.call("post", f"order_forms/{form['lago_id']}/void", {}).json()["order_form"]

    assert (voided["status"], voided["void_reason"]) == ("voided", "manual")
    bodies = told.bodies()
    assert [body["webhook_type"] for body in bodies] == [
        "quote.created",
        "quote.approved",
        "order_form.created",
        "order_form.sent",
        "order_form.voided",
        "quote.voided",
    ]
    assert bodies[0]["quote"]["current_version"]["version"] == 1
    assert bodies[3]["order_form"]["sent_at"] == "2026-01-01T10:00:00Z"
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("get", "quotes/none", "quote_not_found"),
        ("put", "quotes/none", "quote_not_found"),
        ("get", "quotes/none/versions", "quote_not_found"),
        ("get", "quote_versions/none", "quote_version_not_found"),
        ("post", "quote_versions/7/approve", "quote_version_not_found"),
        ("get", "order_forms/none", "order_form_not_found"),
        ("post", "order_forms/none/mark_as_signed", "order_form_not_found"),
        ("get", "orders/none", "order_not_found"),
        ("post", "orders/none/execute", "order_not_found"),
    ],
)
def test_what_is_not_there(api: ApiClient, method: str, path: str, code: str) -> None:
    response = api.call(method, path, *([{"quote": {"name": "x"}}] if method != "get" else []))

    assert (response.status_code, response.json()["code"]) == (404, code)


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        (
            {"terms": {"items": [{"phases": [{"plan_code": "platform", "discount_rate": "2"}]}]}},
            "terms.items.0.phases.0.discount_rate",
            "value_is_out_of_range",
        ),
        ({"terms": {"term_months": "twelve"}}, "terms.term_months", "invalid_type"),
        ({"kind": "amendment"}, "contract_number", "value_is_mandatory"),
        ({"currency": "XXX"}, "currency", "invalid_currency"),
        (
            {
                "external_customer_id": "",
                "prospect": {"name": "x", "country": "Nowhere"},
                "billing_entity_code": "acme",
            },
            "prospect.country",
            "not_a_valid_country_code",
        ),
    ],
)
def test_what_is_refused(api: ApiClient, values: dict[str, Any], field: str, code: str) -> None:
    response = api.call("post", "quotes", {"quote": content(**values)})

    assert response.status_code == 422, response.json()
    assert response.json()["error_details"][field] == [code]


def test_submission_names_what_cannot_be_priced(api: ApiClient) -> None:
    items = [{"phases": [{"plan_code": "platform", "overrides": {"charges": [{"code": "none"}]}}]}]
    version = make(api, terms={"term_months": 12, "items": items})["current_version"]
    assert version["total_amount_cents"] is None

    refused = api.call("post", f"quote_versions/{version['lago_id']}/submit", {})

    assert refused.status_code == 422
    assert list(refused.json()["error_details"]) == ["items.0.phases.0"]


def test_lists_cost_a_fixed_number_of_queries(api: ApiClient, django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        make(api)
    api.get("/api/v1/quotes")

    with django_assert_max_num_queries(12):
        assert len(api.get("/api/v1/quotes").json()["quotes"]) == 3


PROSPECTS: list[dict[str, Any]] = [
    {"prospect": {"name": 5}},
    {"prospect": {"name": {"a": 1}}},
    {"prospect": {"name": "A", "email": ["a"]}},
    {"prospect": {"name": "A", "country": 7}},
    {"prospect": {"name": "A", "country": {}}},
    {"prospect": {"name": "A", "timezone": ["x"]}},
    {"prospect": {"name": "A", "tax_codes": "abc"}},
    {"prospect": {"name": "A", "tax_codes": [{"a": 1}]}},
    {"prospect": {"name": "A", "net_payment_term": "x"}},
    {"prospect": {"name": "A", "net_payment_term": 10**30}},
    {"prospect": {"name": "A", "external_id": {"a": 1}}},
    {"prospect": {"name": "A\x00"}},
    {"prospect": {"name": "A" * 100_000}},
    {"prospect": {"name": "A", "currency": 5}},
    {"prospect": {"name": "A", "document_locale": 5}},
    {"prospect": {"name": "A", "finalize_zero_amount_invoice": 9}},
    {"prospect": {"name": "A", "invoice_grace_period": [1]}},
    {"prospect": {"name": "A", "shipping_address": 9}},
    {"currency": "ZZZ", "external_customer_id": "", "prospect": {"name": "A"}},
]
TERMS: list[dict[str, Any]] = [
    {"one_offs": [{"add_on_code": "setup", "units": "1000000000000", "unit_amount_cents": 10**15}]},
    {"credits": [{"paid_credits": "1000000000000", "rate_amount": "1000000000000"}]},
    {"items": [{"phases": [{"plan_code": "platform", "overrides": {"amount_cents": 10**17}}]}]},
    {"items": [{"phases": [{"plan_code": "platform", "overrides": {"charges": 5}}]}]},
    {"items": [{"phases": [{"plan_code": "platform", "overrides": {"fixed_charges": [[], {}]}}]}]},
    {"items": [{"phases": [{"plan_code": "platform", "overrides": {"minimum_commitment": "x"}}]}]},
    {"items": [{"phases": [{"plan_code": "platform", "overrides": {"trial_period": "1e999"}}]}]},
    {"items": [{"phases": [{"plan_code": "platform", "overrides": {"tax_codes": [1]}}]}]},
    {"items": [{"phases": [{"plan_code": "platform", "units": {"seat": "1"}}]}]},
    {"starts_on": "2899-12-31", "term_months": 240},
    {"commitments": [{"amount_cents": 10**15, "tax_codes": ["none"]}]},
    {"payment_term_days": 10**9},
]


def test_prospects_that_cannot_be(api: ApiClient) -> None:
    for sent in PROSPECTS:
        answer = api.call("post", "quotes", {"quote": {**content(), "external_customer_id": "", **sent}})
        assert 400 <= answer.status_code < 500, sent


def test_terms_that_cannot_be(api: ApiClient) -> None:
    goods.make_add_on("setup", cents=50000)
    for terms in TERMS:
        answer = api.call("post", "quotes", {"quote": content(terms=made.terms("platform") | terms)})
        if answer.status_code == 200:
            version = answer.json()["quote"]["current_version"]["lago_id"]
            answer = api.call("post", f"quote_versions/{version}/submit", {})
        assert 400 <= answer.status_code < 500, terms
