"""Contracts through the API: drafting, activating, amending, previews, notice, and the renewals queue."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import Contract, ContractAmendment, Subscription
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Any:
    goods.make_plan("platform", cents=31000, fixed_charges=[goods.fixed(goods.make_add_on(), 10, "1")])
    parties.make_customer(parties.make_entity())
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False):
        yield ApiClient()


def content(**values: Any) -> dict[str, Any]:
    return {
        "external_customer_id": Customer.objects.get().external_id,
        "name": "Platform 2026",
        "starts_on": "2026-01-01",
        "term_months": 12,
        "renewal": "automatic",
        "notice_days": 30,
        "uplift_rate": 5,
        "items": [
            {
                "external_id": "main",
                "phases": [
                    {"plan_code": "platform", "plan_overrides": {"amount_cents": 10000}, "units": {"seat": "20"}},
                    {"plan_code": "platform", "starts_on": "2026-07-01"},
                ],
            }
        ],
        "commitments": [{"amount_cents": 500000}],
        **values,
    }


def draft(api: ApiClient, **values: Any) -> Any:
    return api.call("post", "contracts", {"contract": content(**values)})


def test_a_contract_is_drafted_activated_and_shown(api: ApiClient) -> None:
    answer = draft(api)
    assert answer.status_code == 200, answer.json()
    shown = answer.json()["contract"]
    assert (shown["number"], shown["state"], shown["ends_on"]) == ("CT-000001", "draft", "2026-12-31")
    assert (shown["uplift_rate"], shown["notice_by"]) == (5.0, "2026-12-01")
    first, second = shown["items"][0]["phases"]
    assert (first["plan_overrides"]["amount_cents"], first["ends_on"]) == (10000, "2026-06-30")
    assert first["plan_overrides"]["fixed_charges"][0]["units"] == "20"
    assert second["plan_overrides"] == {}
    assert not Subscription.objects.exists()

    active = api.call("post", "contracts/CT-000001/activate").json()["contract"]

    assert active["state"] == "active"
    assert active["commitments"][0]["progress"] == {
        "due_cents": 500000, "billed_cents": 0, "forecast_cents": 0, "missing_cents": 500000
    }  # fmt: skip
    assert api.call("get", "subscriptions/main").json()["subscription"]["plan_amount_cents"] == 10000
    again = api.call("post", "contracts/CT-000001/activate")
    assert (again.status_code, again.json()["code"]) == (409, "invalid_contract_state")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"items": []}, "items"),
        ({"starts_on": "tomorrow"}, "starts_on"),
        ({"term_months": 0}, "term_months"),
        ({"term_months": None}, "term_months"),
        ({"notice_days": 0}, "notice_days"),
        ({"renewal": "maybe"}, "renewal"),
        ({"commitments": [{"amount_cents": 0}]}, "commitments"),
        ({"commitments": [{"amount_cents": 5, "kind": "period"}]}, "commitments"),
        ({"commitments": [{"amount_cents": 5, "ends_on": "2027-01-01"}]}, "commitments"),
        ({"items": [{"external_id": "a", "phases": []}]}, "phases"),
        ({"items": [{"external_id": "a", "phases": [{"plan_code": "platform", "starts_on": "2026-02-01"}]}]}, "phases"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(api: ApiClient, values: dict[str, Any], field: str) -> None:
    answer = draft(api, **values)
    assert answer.status_code == 422, answer.json()
    assert any(field in name for name in answer.json()["error_details"])
    assert not Contract.objects.exists()


def test_own_terms_that_the_plan_does_not_have_are_refused(api: ApiClient) -> None:
    phases = [{"plan_code": "platform", "units": {"unknown": "5"}}]
    answer = draft(api, items=[{"external_id": "main", "phases": phases}])
    assert (answer.status_code, answer.json()["code"]) == (404, "fixed_charge_not_found")
    missing = draft(api, items=[{"external_id": "main", "phases": [{"plan_code": "none"}]}])
    assert (missing.status_code, missing.json()["code"]) == (404, "plan_not_found")
    assert not Contract.objects.exists()


def amendment(**values: Any) -> dict[str, Any]:
    return {"amendment": {"kind": "change_terms", "effective_on": "2026-02-01", "external_id": "main", **values}}


def test_a_contract_is_amended_after_a_look_at_the_preview(api: ApiClient) -> None:
    draft(api)
    api.call("post", "contracts/CT-000001/activate")
    body = amendment(plan_overrides={"amount_cents": 20000}, reason="More seats")

    dayless = {"amendment": {name: value for name, value in body["amendment"].items() if name != "effective_on"}}
    refused = api.call("post", "contracts/CT-000001/preview", dayless)
    assert (refused.status_code, refused.json()["error_details"]) == (422, {"effective_on": ["value_is_mandatory"]})

    seen = api.call("post", "contracts/CT-000001/preview", body).json()["preview"]
    assert [phase["amount_cents"] for phase in seen["phases"]] == [10000, 20000]
    # January: 100.00 and 20 × 1.00
    assert [invoice["fees_amount_cents"] for invoice in seen["invoices"]] == [12000]
    assert not Invoice.objects.exists()
    assert not ContractAmendment.objects.exists()

    answer = api.call("post", "contracts/CT-000001/amendments", body)
    assert (answer.status_code, answer.json()["amendment"]["number"]) == (200, 1)
    shown = api.call("get", "contracts/CT-000001").json()["contract"]
    assert [phase["starts_on"] for phase in shown["items"][0]["phases"]] == ["2026-01-01", "2026-02-01"]
    assert shown["amendments"][0]["reason"] == "More seats"


def test_an_amendment_with_the_same_key_is_made_once(api: ApiClient) -> None:
    draft(api)
    api.call("post", "contracts/CT-000001/activate")
    for _ in range(2):
        answer = api.call(
            "post", "contracts/CT-000001/amendments", amendment(units={"seat": "30"}),
            Idempotency_Key="once",
        )  # fmt: skip
        assert answer.status_code == 200
    assert ContractAmendment.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "status", "named"),
    [
        ({"effective_on": "2025-12-31"}, 422, "effective_on"),
        ({"external_id": "other"}, 404, ""),
        ({"external_id": ""}, 422, "external_id"),
        ({"kind": "add_product", "external_id": "new"}, 422, "phases"),
        ({"kind": "extend_term"}, 422, "ends_on"),
        ({"kind": "extend_term", "ends_on": "2026-05-01"}, 422, "ends_on"),
        ({"kind": "change_commitment"}, 422, "commitment"),
        ({"kind": "remove_product"}, 422, "external_id"),
        ({"kind": "renewal"}, 422, "kind"),
        ({"plan_overrides": {"amount_currency": "USD"}}, 422, "amount_currency"),
    ],
)
def test_amendments_that_are_refused(api: ApiClient, values: dict[str, Any], status: int, named: str) -> None:
    draft(api)
    api.call("post", "contracts/CT-000001/activate")
    answer = api.call("post", "contracts/CT-000001/amendments", amendment(**values))
    assert answer.status_code == status, answer.json()
    assert not named or any(named in name for name in answer.json()["error_details"])
    assert not ContractAmendment.objects.exists()


def test_a_draft_is_previewed_and_thrown_away(api: ApiClient) -> None:
    draft(api)
    seen = api.call("post", "contracts/CT-000001/preview", {"amendment": {"kind": "activate"}})
    assert [phase["amount_cents"] for phase in seen.json()["preview"]["phases"]] == [10000, 31000]
    assert not Subscription.objects.exists()
    canceled = api.call("post", "contracts/CT-000001/cancel").json()["contract"]
    assert canceled["state"] == "canceled"
    assert api.call("post", "contracts/CT-000001/amendments", amendment()).status_code == 409


def test_notice_is_given_and_taken_back(api: ApiClient) -> None:
    draft(api)
    api.call("post", "contracts/CT-000001/activate")
    given = api.call("post", "contracts/CT-000001/notice", {"notice": {"given_by": "the customer"}})
    assert given.json()["contract"]["notice_given_on"] == "2026-01-01"
    assert api.call("get", "subscriptions/main").json()["subscription"]["ending_at"] == "2026-12-31T23:59:59Z"
    back = api.call("delete", "contracts/CT-000001/notice")
    assert back.json()["contract"]["notice_given_on"] is None
    assert api.call("get", "subscriptions/main").json()["subscription"]["ending_at"] is None
    assert api.call("delete", "contracts/CT-000001/notice").status_code == 405


def test_an_early_end_is_agreed(api: ApiClient) -> None:
    draft(api)
    api.call("post", "contracts/CT-000001/activate")
    ended = api.call("post", "contracts/CT-000001/end", {"end": {"ends_on": "2026-03-31"}}).json()["contract"]
    assert (ended["ends_on"], ended["state"], ended["renewal"]) == ("2026-03-31", "active", "none")
    # 5,000.00 × 90 / 365
    assert ended["commitments"][0]["progress"]["due_cents"] == 123288


def test_the_renewals_queue_and_lists(api: ApiClient) -> None:
    draft(api, term_months=1, items=[{"external_id": "a", "phases": [{"plan_code": "platform"}]}])
    draft(api, items=[{"external_id": "b", "phases": [{"plan_code": "platform"}]}])
    for number in ("CT-000001", "CT-000002"):
        assert api.call("post", f"contracts/{number}/activate").status_code == 200
    queue = api.call("get", "contracts/renewals?days=60").json()["contracts"]
    assert [one["number"] for one in queue] == ["CT-000001"]
    assert api.call("get", "contracts/renewals?days=-1").status_code == 422
    listed = api.call("get", "contracts?state[]=active&ends_by=2026-12-31").json()
    assert [one["number"] for one in listed["contracts"]] == ["CT-000002", "CT-000001"]
    assert api.call("get", "contracts?state[]=odd").status_code == 422
    assert api.call("get", "contracts/CT-999999").status_code == 404


def test_the_list_costs_the_same_for_many(api: ApiClient, django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        draft(api, items=[{"external_id": f"s{number}", "phases": [{"plan_code": "platform"}]}])
    with django_assert_max_num_queries(16):
        assert len(api.call("get", "contracts").json()["contracts"]) == 3
