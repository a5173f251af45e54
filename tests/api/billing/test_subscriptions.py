"""``/subscriptions``: shapes, states, filters and refusals."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Subscription
from catalog.models import PlanVersion
from config.platform.services import installation
from customers.models import BillingEntity, Customer, InvoiceCustomSection
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity, timezone="Europe/Berlin")


@pytest.fixture
def plan() -> PlanVersion:
    return goods.make_plan("pro", cents=2800, charges=[goods.standard(goods.make_metric("requests"), "0.10")])


def post(api: ApiClient, at: str = "2026-02-10T12:00", **values: Any) -> Any:
    content = {"external_customer_id": "c1", "plan_code": "pro", "external_id": "sub", **values}
    with time_machine.travel(instant(at), tick=False):
        return api.call("post", "subscriptions", {"subscription": content})


def call(api: ApiClient, method: str, path: str, content: Any = None, *, at: str = "2026-02-20") -> Any:
    with time_machine.travel(instant(at), tick=False):
        return api.call(method, path, content)


def test_a_new_subscription_is_shown_with_its_plan(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    response = post(api, name="Main", billing_time="anniversary", ending_at="2027-02-10T00:00:00Z")

    assert response.status_code == 200
    found = response.json()["subscription"]
    row = Subscription.objects.get()
    shown_plan = found.pop("plan")
    assert found == {
        "lago_id": str(row.uuid),
        "external_id": "sub",
        "lago_customer_id": str(customer.uuid),
        "external_customer_id": "c1",
        "billing_entity_code": "acme",
        "name": "Main",
        "plan_code": "pro",
        "plan_amount_cents": 2800,
        "plan_amount_currency": "EUR",
        "status": "active",
        "billing_time": "anniversary",
        "backdated_billing": "skip",
        "subscription_at": "2026-02-10T12:00:00Z",
        "started_at": "2026-02-10T12:00:00.000Z",
        "activated_at": "2026-02-10T12:00:00Z",
        "trial_ended_at": None,
        "ending_at": "2027-02-10T00:00:00Z",
        "terminated_at": None,
        "canceled_at": None,
        "paused_at": None,
        "pause_fee": None,
        "resume_on": None,
        "created_at": "2026-02-10T12:00:00Z",
        "previous_plan_code": None,
        "next_plan_code": None,
        "downgrade_plan_date": None,
        # The running month goes to the local midnight of 10 March, which is 23:00 the day before in UTC.
        "current_billing_period_started_at": "2026-02-10T12:00:00Z",
        "current_billing_period_ending_at": "2026-03-09T22:59:59Z",
        "on_termination_credit_note": None,
        "on_termination_invoice": "generate",
        "progressive_billing_disabled": False,
        "consolidate_invoice": True,
        "purchase_order_number": None,
        "cancellation_reason": None,
        "payment_method": {"payment_method_id": None, "payment_method_type": "manual"},
        "activation_rules": [],
        "entitlements": [],
        "usage_thresholds": [],
        "applicable_usage_thresholds": [],
        "applied_invoice_custom_sections": [],
    }
    assert shown_plan["code"] == "pro"
    assert [charge["billable_metric_code"] for charge in shown_plan["charges"]] == ["requests"]


def test_neutral_values_of_missing_features_are_taken(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    response = post(
        api,
        plan_overrides={},
        usage_thresholds=[],
        activation_rules=None,
        consolidate_invoice=True,
        on_termination_credit_note="skip",
        purchase_order_number="",
        payment_method={"payment_method_type": "manual"},
        invoice_custom_section={},
        progressive_billing_disabled=True,
        billing_entity_code="acme",
        unknown="dropped",
    )

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"plan_overrides": {"amount_cents": -1}}, {"plan_overrides.amount_cents": ["value_is_out_of_range"]}),
        ({"usage_thresholds": [{"amount_cents": 0}]}, {"usage_thresholds": ["missing_amount_cents"]}),
        ({"activation_rules": "payment"}, {"activation_rules": ["must_be_an_array"]}),
        ({"consolidate_invoice": "perhaps"}, {"consolidate_invoice": ["value_is_invalid"]}),
        ({"on_termination_credit_note": "refund"}, {"on_termination_credit_note": ["value_must_be_blank"]}),
        ({"on_termination_credit_note": "all"}, {"on_termination_credit_note": ["value_is_invalid"]}),
        ({"purchase_order_number": "x" * 256}, {"purchase_order_number": ["value_is_too_long"]}),
        ({"change_at": "soon"}, {"change_at": ["value_is_invalid"]}),
        ({"change_at": "20260301"}, {"change_at": ["value_is_invalid"]}),
        ({"change_at": "now"}, {"change_at": ["value_must_be_blank"]}),
        ({"payment_method": {"payment_method_id": "x"}}, {"payment_method": ["unsupported_value"]}),
        ({"billing_time": "sometimes"}, {"billing_time": ["value_is_invalid"]}),
        ({"backdated_billing": "perhaps"}, {"backdated_billing": ["value_is_invalid"]}),
        ({"subscription_at": "soon"}, {"subscription_at": ["invalid_date"]}),
        ({"subscription_at": 12}, {"subscription_at": ["invalid_date"]}),
        ({"ending_at": "2026-02-10T12:00:00Z"}, {"ending_at": ["invalid_date"]}),
        ({"external_id": ""}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": None}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": ["sub"]}, {"external_id": ["value_is_invalid"]}),
        ({"external_id": "x" * 256}, {"external_id": ["value_is_too_long"]}),
        ({"name": {"a": 1}}, {"name": ["value_is_invalid"]}),
        ({"plan_code": None}, {"plan_code": ["value_is_mandatory"]}),
    ],
)
def test_bad_input_is_refused_with_its_reason(
    api: ApiClient, customer: Customer, plan: PlanVersion, values: dict[str, Any], details: dict[str, list[str]]
) -> None:
    response = post(api, **values)

    assert response.status_code == 422
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert not Subscription.objects.exists()


def test_an_authorization_beside_the_root_is_refused(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    content = {"external_customer_id": "c1", "plan_code": "pro", "external_id": "sub"}

    response = api.call("post", "subscriptions", {"subscription": content, "authorization": {"amount_cents": 1}})

    assert response.json()["error_details"] == {"authorization": ["unsupported_value"]}


@pytest.mark.parametrize(
    ("values", "code"),
    [({"external_customer_id": "nobody"}, "customer_not_found"), ({"plan_code": "nothing"}, "plan_not_found")],
)
def test_what_is_not_there_is_not_found(
    api: ApiClient, customer: Customer, plan: PlanVersion, values: dict[str, str], code: str
) -> None:
    response = post(api, **values)

    assert (response.status_code, response.json()["code"]) == (404, code)


def test_the_root_key_is_needed(api: ApiClient) -> None:
    response = api.call("post", "subscriptions", {"external_id": "sub"})

    assert response.status_code == 400
    assert response.json()["error"].endswith("empty or invalid: subscription")


def test_the_same_plan_again_returns_the_current(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    first = post(api).json()["subscription"]

    again = post(api, at="2026-02-15T12:00").json()["subscription"]

    assert again["lago_id"] == first["lago_id"]


def test_finding_by_status(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    post(api, subscription_at="2026-06-01T00:00:00Z")

    assert call(api, "get", "subscriptions/sub").json()["code"] == "subscription_not_found"
    assert call(api, "get", "subscriptions/sub?status=incomplete").status_code == 404
    found = call(api, "get", "subscriptions/sub?status=pending").json()["subscription"]
    assert (found["status"], found["started_at"], found["current_billing_period_started_at"]) == ("pending", None, None)


def test_lists_show_active_ones_newest_first(
    api: ApiClient, entity: BillingEntity, customer: Customer, plan: PlanVersion
) -> None:
    other = parties.make_customer(entity, "c2")
    dollars = goods.make_plan("dollars", currency="USD")
    made.make_subscription(customer, plan, "one", at=instant("2026-01-01"))
    made.make_subscription(other, dollars, "two", at=instant("2026-01-02"))
    made.make_subscription(customer, plan, "later", at=instant("2026-01-03"), subscription_at=instant("2027-01-01"))

    def listed(**params: Any) -> list[str]:
        return [row["external_id"] for row in api.read("subscriptions", **params).json()["subscriptions"]]

    assert listed() == ["two", "one"]
    assert listed(**{"status[]": ["active", "pending"]}) == ["later", "two", "one"]
    assert listed(external_customer_id="c1") == ["one"]
    assert listed(plan_code="dollars") == ["two"]
    assert listed(currency="EUR") == ["one"]
    assert listed(external_id="two") == ["two"]
    assert listed(**{"billing_entity_codes[]": ["nobody"]}) == []
    assert listed(overridden="true") == []
    assert api.read("subscriptions", status="strange").status_code == 422
    page = api.read("subscriptions", per_page=1, page=2).json()
    assert [row["external_id"] for row in page["subscriptions"]] == ["one"]
    assert page["meta"] == {"current_page": 2, "next_page": None, "prev_page": 1, "total_pages": 2, "total_count": 2}
    of_one = api.read("customers/c2/subscriptions").json()["subscriptions"]
    assert [row["external_id"] for row in of_one] == ["two"]
    assert api.read("customers/nobody/subscriptions").json()["code"] == "customer_not_found"


def test_a_list_costs_the_same_however_long_it_is(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    counts = []
    for number in range(6):
        made.make_subscription(customer, plan, f"s{number}", at=instant("2026-01-01"))
        with CaptureQueriesContext(connection) as queries:
            api.read("subscriptions")
        counts.append(len(queries))

    # The first request also notes that its key was used.
    assert len(set(counts[1:])) == 1
    assert counts[-1] <= 14


def test_changing_name_and_end(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    post(api)

    changed = call(
        api, "put", "subscriptions/sub", {"subscription": {"name": "New", "ending_at": "2026-06-01T00:00:00Z"}}
    ).json()["subscription"]
    reopened = call(api, "put", "subscriptions/sub", {"subscription": {"ending_at": None}}).json()["subscription"]

    assert (changed["name"], changed["ending_at"]) == ("New", "2026-06-01T00:00:00Z")
    assert (reopened["name"], reopened["ending_at"]) == ("New", None)
    refused = call(api, "put", "subscriptions/sub", {"subscription": {"ending_at": "2026-02-01T00:00:00Z"}})
    assert refused.json()["error_details"] == {"ending_at": ["invalid_date"]}
    assert call(api, "put", "subscriptions/other", {"subscription": {"name": "New"}}).status_code == 404


def test_terminating_makes_the_last_invoice(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    post(api, at="2026-02-01T12:00")

    found = call(api, "delete", "subscriptions/sub?on_termination_credit_note=credit", at="2026-02-14T12:00")

    assert found.status_code == 200
    assert found.json()["subscription"]["status"] == "terminated"
    assert found.json()["subscription"]["terminated_at"] == "2026-02-14T12:00:00Z"
    assert made.billed(customer) == [("2026-02-14", "finalized", "14")]
    assert call(api, "delete", "subscriptions/sub").status_code == 404
    assert call(api, "get", "subscriptions/sub?status=terminated").status_code == 200


def test_terminating_without_an_invoice_and_with_bad_options(
    api: ApiClient, customer: Customer, plan: PlanVersion
) -> None:
    post(api)

    refused = call(api, "delete", "subscriptions/sub?on_termination_invoice=perhaps")
    assert refused.json()["error_details"] == {"on_termination_invoice": ["value_is_invalid"]}
    assert Subscription.objects.get().status == "active"
    done = call(api, "delete", "subscriptions/sub?on_termination_invoice=skip").json()["subscription"]
    assert (done["status"], done["on_termination_invoice"]) == ("terminated", "skip")
    assert not Invoice.objects.exists()


def test_a_waiting_one_is_canceled(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    post(api, subscription_at="2026-06-01T00:00:00Z")

    assert call(api, "delete", "subscriptions/sub").status_code == 404
    found = call(api, "delete", "subscriptions/sub?status=pending").json()["subscription"]

    assert (found["status"], found["canceled_at"]) == ("canceled", "2026-02-20T00:00:00Z")


def test_without_a_key_nothing_is_done(customer: Customer, plan: PlanVersion) -> None:
    stranger = ApiClient(secret="wrong")

    assert post(stranger).status_code == 401
    assert not Subscription.objects.exists()


def test_any_external_id_can_be_found_and_ended(api: ApiClient, customer: Customer, plan: PlanVersion) -> None:
    post(api, external_id="eu/berlin/1")

    assert call(api, "get", "subscriptions/eu/berlin/1").json()["subscription"]["external_id"] == "eu/berlin/1"
    assert call(api, "delete", "subscriptions/eu%2Fberlin%2F1").json()["subscription"]["status"] == "terminated"


def test_its_seller_and_its_texts_are_named_changed_and_given_back(
    api: ApiClient, customer: Customer, plan: PlanVersion
) -> None:
    installation.ensure(at=instant("2026-01-01"))
    parties.make_entity("other")
    InvoiceCustomSection.objects.create(code="own", name="Own", display_name="Terms", details="Net.")
    sections = {"invoice_custom_section_codes": ["own"]}
    made_of = post(api, billing_entity_code="other", invoice_custom_section=sections).json()["subscription"]
    assert made_of["billing_entity_code"] == "other"
    (shown,) = made_of["applied_invoice_custom_sections"]
    assert (shown["invoice_custom_section"]["code"], shown["invoice_custom_section"]["details"]) == ("own", "Net.")

    def changed(**content: Any) -> Any:
        answer = call(api, "put", "subscriptions/sub", {"subscription": content})
        if answer.status_code != 200:
            return answer.status_code, answer.json()["code"]
        found = answer.json()["subscription"]
        return found["billing_entity_code"], len(found["applied_invoice_custom_sections"])

    assert changed(name="Other") == ("other", 1)
    assert changed(billing_entity_code="acme", invoice_custom_section={"skip_invoice_custom_sections": True}) == (
        "acme",
        0,
    )
    assert Subscription.objects.get().custom_section_ids == []
    assert changed(invoice_custom_section=sections, billing_entity_code=None) == ("acme", 1)
    assert changed(invoice_custom_section={"invoice_custom_section_codes": []}) == ("acme", 0)
    assert changed(billing_entity_code="nobody") == (404, "billing_entity_not_found")
    assert changed(invoice_custom_section={"invoice_custom_section_codes": ["no"]}) == (
        404,
        "invoice_custom_section_not_found",
    )
    assert changed(invoice_custom_section=["own"])[0] == 422
    row = Subscription.objects.get()
    assert (row.billing_entity, row.custom_section_ids) == (None, None)
