"""Corrections of events and the late usage inbox through the API."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import EventCorrection, LateUsage
from billing.services import late_usage, runs
from customers.models import Customer
from invoicing.models import InvoiceLine
from invoicing.services import invoices
from tests.factories import advance
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient
from tests.factories.usage import make_event, store

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    """A client, and a customer whose January of the events "a" and "b" is billed."""
    plan = goods.make_plan("pro", cents=0, charges=[goods.standard(goods.make_metric("requests"), "1")])
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    store(make_event("2026-01-10", transaction_id="a"), make_event("2026-01-11", transaction_id="b"))
    runs.run(as_of=instant("2026-02-01T00:10"), trigger="test", actor=ACTOR)
    return ApiClient()


def correction(**values: Any) -> dict[str, Any]:
    content = {
        "transaction_id": "w", "corrects": "a", "external_subscription_id": "sub", "action": "withdraw",
        "reason": "Sent twice.", **values,
    }  # fmt: skip
    return {name: value for name, value in content.items() if value is not None}


def test_a_correction_is_taken_and_listed(api: ApiClient) -> None:
    answer = api.call("post", "events/corrections", {"event": correction()})
    assert answer.status_code == 200
    shown = answer.json()["event_correction"]
    assert (shown["corrects"], shown["action"], shown["undone_at"]) == ("a", "withdraw", None)
    again = api.call("post", "events/corrections", {"event": correction()})
    assert (again.status_code, again.json()["event_correction"]["lago_id"]) == (200, shown["lago_id"])
    listed = api.call("get", "events/corrections?corrects=a").json()
    assert [one["transaction_id"] for one in listed["event_corrections"]] == ["w"]
    assert api.call("get", "events/a?external_subscription_id=sub").status_code == 200


def test_many_corrections_are_taken_all_or_none(api: ApiClient) -> None:
    rows = [correction(), correction(transaction_id="b2", corrects="b", action="amend", properties={"x": 1})]
    answer = api.call("post", "events/corrections", {"events": rows})
    assert [one["action"] for one in answer.json()["event_corrections"]] == ["withdraw", "amend"]
    bad = [correction(transaction_id="n", corrects="nothing"), {}]
    refused = api.call("post", "events/corrections", {"events": bad})
    assert refused.status_code == 422
    assert "1.transaction_id" in refused.json()["error_details"]
    assert EventCorrection.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"corrects": "nothing"}, 404, "event_not_found"),
        ({"external_subscription_id": "other"}, 404, "event_not_found"),
        ({"reason": None}, 422, "reason"),
        ({"action": "delete"}, 422, "action"),
        ({"action": None}, 422, "action"),
        ({"action": "amend"}, 422, "base"),
        ({"action": "amend", "timestamp": "yesterday"}, 422, "timestamp"),
        ({"action": "amend", "properties": [1]}, 422, "properties"),
        ({"properties": {"x": 1}}, 422, "properties"),  # a withdrawal changes nothing in an event
        ({"transaction_id": "a"}, 422, "transaction_id"),
        ({"transaction_id": "b"}, 409, "value_already_exist"),
        ({"transaction_id": 7}, 422, "transaction_id"),
    ],
)
def test_bad_corrections_are_refused(api: ApiClient, change: dict[str, Any], status: int, code: str) -> None:
    answer = api.call("post", "events/corrections", {"event": correction(**change)})
    assert answer.status_code == status
    content = answer.json()
    assert code == content.get("code") or code in content["error_details"]
    assert EventCorrection.objects.count() == 0


@pytest.mark.parametrize("body", [{}, {"event": None}, {"event": 1}, {"event": []}, {"events": []}, {"events": 1}, []])
def test_bodies_without_corrections_are_refused(api: ApiClient, body: Any) -> None:
    assert api.call("post", "events/corrections", body).status_code in (400, 422)
    assert EventCorrection.objects.count() == 0


def test_late_usage_is_listed_and_decided_once(api: ApiClient) -> None:
    store(make_event("2026-01-20", transaction_id="c"))
    late_usage.run(as_of=instant("2026-02-02"))
    (entry,) = api.call("get", "late_usage?state=held&external_subscription_id=sub").json()["late_usage"]
    assert (entry["amount_cents"], entry["settled_amount_cents"], entry["total_amount_cents"]) == (100, 200, 300)
    assert (entry["events_count"], entry["billable_metric_code"]) == (1, "requests")
    path = f"late_usage/{entry['lago_id']}/decide"
    assert api.call("post", path, {"late_usage": {"decision": "forget", "reason": "x"}}).status_code == 422
    assert api.call("post", path, {"late_usage": {"decision": "waive"}}).status_code == 422
    done = api.call("post", path, {"late_usage": {"decision": "correct", "reason": "Agreed."}})
    assert (done.status_code, done.json()["late_usage"]["state"]) == (200, "corrected")
    fee = done.json()["late_usage"]["lago_fee_id"]
    traced = api.call("get", f"fees/{fee}/trace").json()["fee_trace"]
    assert (traced["amount_cents"], traced["verification"]["verified"]) == (100, True)
    again = api.call("post", path, {"late_usage": {"decision": "waive", "reason": "Again."}})
    assert (again.status_code, again.json()["code"]) == (405, "already_decided")
    assert api.call("get", "late_usage?state=held").json()["late_usage"] == []


def test_what_is_to_be_billed_is_billed_once_its_invoice_is_issued(api: ApiClient) -> None:
    def states() -> dict[str, list[str]]:
        return {
            state: [one["state"] for one in api.call("get", f"late_usage?state={state}").json()["late_usage"]]
            for state in ("held", "to_bill", "billed")
        }

    Customer.objects.update(invoice_grace_period=3)
    store(make_event("2026-01-20", transaction_id="c"))
    late_usage.run(as_of=instant("2026-02-02"))
    assert states() == {"held": ["held"], "to_bill": [], "billed": []}
    path = f"late_usage/{LateUsage.objects.get().uuid}/decide"
    content = {"late_usage": {"decision": "bill", "reason": "Agreed."}}
    assert api.call("post", path, content).json()["late_usage"]["state"] == "to_bill"
    assert states() == {"held": [], "to_bill": ["to_bill"], "billed": []}
    runs.run(as_of=instant("2026-03-01T00:10"), trigger="test", actor=ACTOR)
    assert LateUsage.objects.get().line.invoice.status == "draft"
    assert states() == {"held": [], "to_bill": ["to_bill"], "billed": []}
    invoices.finalize(invoice_id=LateUsage.objects.get().line.invoice_id, actor=ACTOR, at=instant("2026-03-02"))
    assert states() == {"held": [], "to_bill": [], "billed": ["billed"]}
    assert [one["state"] for one in api.call("get", "late_usage").json()["late_usage"]] == ["billed"]


def test_unknown_entries_and_states_are_refused(api: ApiClient) -> None:
    assert api.call("get", "late_usage?state=lost").status_code == 422
    for name in ("nothing", "00000000-0000-4000-8000-000000000000"):
        answer = api.call("post", f"late_usage/{name}/decide", {"late_usage": {"decision": "bill", "reason": "x"}})
        assert (answer.status_code, answer.json()["code"]) == (404, "late_usage_not_found")


def test_a_subscription_has_a_policy_of_its_own(api: ApiClient) -> None:
    path = "subscriptions/sub/late_usage_policy"
    content = {"late_usage_policy": "waive", "late_usage_waive_below": "1.50"}
    answer = api.call("put", path, {"late_usage": content})
    assert answer.json()["late_usage"]["late_usage_policy"] == "waive"
    assert api.call("put", path, {"late_usage": {"late_usage_policy": "waive"}}).status_code == 422
    assert api.call("put", path, {"late_usage": {"late_usage_policy": "burn"}}).status_code == 422
    assert api.call("put", "subscriptions/no/late_usage_policy", {"late_usage": content}).status_code == 404
    store(make_event("2026-01-20"))
    late_usage.run(as_of=instant("2026-02-02"))
    (entry,) = api.call("get", "late_usage").json()["late_usage"]
    assert entry["state"] == "waived"


def test_a_correction_names_the_fee_that_billed_the_event_in_advance(api: ApiClient) -> None:
    advance.make_subscription(advance.make_plan(goods.make_metric("seats"), code="seats"), external_id="other")
    store(make_event("2026-05-10", transaction_id="s", external_subscription_id="other", code="seats"))
    advance.bill("2026-05-10T01:00")
    asked = correction(corrects="s", external_subscription_id="other")
    shown = api.call("post", "events/corrections", {"event": asked}).json()["event_correction"]
    (fee,) = InvoiceLine.objects.filter(event_transaction_id="s")
    assert shown["lago_fee_ids"] == [str(fee.uuid)]
    shown = api.call("post", "events/corrections", {"event": correction()}).json()["event_correction"]
    assert shown["lago_fee_ids"] == []
    assert fee.amount.amount == 3  # it stands


def test_late_usage_of_a_time_of_nothing_has_no_invoice(api: ApiClient) -> None:
    runs.run(as_of=instant("2026-03-01T00:10"), trigger="test", actor=ACTOR)
    store(make_event("2026-02-10", transaction_id="c"))
    late_usage.run(as_of=instant("2026-03-02"))
    (shown,) = api.call("get", "late_usage").json()["late_usage"]
    assert (shown["lago_invoice_id"], shown["settled_amount_cents"], shown["amount_cents"]) == (None, 0, 100)
