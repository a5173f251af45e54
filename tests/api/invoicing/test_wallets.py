"""Wallets over the API: the whole answers, lists, notes, which credits paid for what, and what is refused."""

from typing import Any

import pytest

from customers.models import Customer
from invoicing.models import Invoice, Wallet, WalletTransaction
from tests.factories import invoicing as make
from tests.factories import wallets as purses
from tests.factories.platform import ApiClient


def wallet(api: ApiClient, **values: Any) -> dict[str, Any]:
    content = {"external_customer_id": "c1", "currency": "EUR", "rate_amount": "1", **values}
    answer = api.call("post", "wallets", {"wallet": content})
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()["wallet"]
    return found


def refusal(answer: Any) -> tuple[int, Any]:
    content = answer.json()
    return answer.status_code, content.get("error_details") or content.get("code")


def test_a_wallet_has_its_shape(api: ApiClient, customer: Customer) -> None:
    made = wallet(
        api,
        name="Main",
        priority=7,
        paid_credits="10.5",
        granted_credits=5,
        expiration_at="2027-01-01T00:00:00Z",
        paid_top_up_min_amount_cents=100,
        metadata={"crm": "A1"},
        applies_to={"fee_types": ["charge"]},
        transaction_name="Start",
        transaction_metadata=[{"key": "a", "value": "b"}],
        recurring_transaction_rules=[],
    )

    assert made == {
        "lago_id": made["lago_id"],
        "lago_customer_id": str(customer.uuid),
        "external_customer_id": "c1",
        "billing_entity_code": "acme",
        "status": "active",
        "currency": "EUR",
        "name": "Main",
        "code": "main",
        "purchase_order_number": None,
        "priority": 7,
        "rate_amount": "1.0",
        "credits_balance": "5.0",
        "credits_ongoing_balance": "5.0",
        "credits_ongoing_usage_balance": "0.0",
        "balance_cents": 500,
        "ongoing_balance_cents": 500,
        "ongoing_usage_balance_cents": 0,
        "consumed_credits": "0.0",
        "consumed_amount_cents": 0,
        "created_at": "2026-05-01T00:10:00Z",
        "expiration_at": "2027-01-01T00:00:00Z",
        "last_balance_sync_at": "2026-05-01T00:10:00Z",
        "last_consumed_credit_at": None,
        "terminated_at": None,
        "invoice_requires_successful_payment": False,
        "paid_top_up_min_amount_cents": 100,
        "paid_top_up_max_amount_cents": None,
        "recurring_transaction_rules": [],
        "applies_to": {"fee_types": ["charge"], "billable_metric_codes": []},
        "applied_invoice_custom_sections": [],
        "payment_method": {"payment_method_id": None, "payment_method_type": "manual"},
        "metadata": {"crm": "A1"},
    }
    rows = api.call("get", f"wallets/{made['lago_id']}/wallet_transactions").json()
    assert rows["meta"]["total_count"] == 2
    bought = next(row for row in rows["wallet_transactions"] if row["transaction_status"] == "purchased")
    invoice = Invoice.objects.get()
    assert bought == {
        "lago_id": bought["lago_id"],
        "lago_wallet_id": made["lago_id"],
        "lago_invoice_id": str(invoice.uuid),
        "lago_credit_note_id": None,
        "lago_voided_invoice_id": None,
        "billing_entity_code": "acme",
        "status": "pending",
        "source": "manual",
        "transaction_status": "purchased",
        "transaction_type": "inbound",
        "amount": "10.5",
        "credit_amount": "10.5",
        "remaining_amount_cents": None,
        "remaining_credit_amount": None,
        "priority": 50,
        "purchase_order_number": None,
        "settled_at": None,
        "failed_at": None,
        "created_at": "2026-05-01T00:10:00Z",
        "invoice_requires_successful_payment": False,
        "metadata": [{"key": "a", "value": "b"}],
        "name": "Start",
        "payment_method": {"payment_method_id": None, "payment_method_type": "manual"},
        "applied_invoice_custom_sections": [],
    }
    [fee] = api.call("get", f"invoices/{invoice.uuid}").json()["invoice"]["fees"]
    assert (fee["item"]["type"], fee["item"]["item_type"]) == ("credit", "WalletTransaction")
    assert (fee["item"]["lago_item_id"], fee["units"], fee["amount_cents"]) == (bought["lago_id"], "10.5", 1050)


def test_a_purchase_is_paid_and_used(api: ApiClient, customer: Customer) -> None:
    made = wallet(api, granted_credits="20")
    body = {"wallet_transaction": {"wallet_id": made["lago_id"], "paid_credits": "100", "granted_credits": "5"}}
    bought, given = api.call("post", "wallet_transactions", body, Idempotency_Key="k1").json()["wallet_transactions"]
    again = api.call("post", "wallet_transactions", body, Idempotency_Key="k1")
    assert again["Idempotency-Replayed"] == "true"
    assert (bought["status"], given["status"], WalletTransaction.objects.count()) == ("pending", "settled", 3)

    api.call("put", f"invoices/{bought['lago_invoice_id']}", {"invoice": {"payment_status": "succeeded"}})
    used = make.issue(customer, "100.00")  # 119.00: 25 that was given, 94 of 100 bought

    shown = api.call("get", f"invoices/{used.uuid}").json()["invoice"]
    assert {
        "prepaid_credit_amount_cents": 11900,
        "prepaid_granted_credit_amount_cents": 2500,
        "prepaid_purchased_credit_amount_cents": 9400,
        "total_amount_cents": 0,
        "payment_status": "succeeded",
    }.items() <= shown.items()
    out = WalletTransaction.objects.get(invoice=used)
    fundings = api.call("get", f"wallet_transactions/{out.uuid}/fundings").json()
    assert [row["amount_cents"] for row in fundings["wallet_transaction_fundings"]] == [2000, 500, 9400]
    assert fundings["wallet_transaction_fundings"][2]["wallet_transaction"]["lago_id"] == bought["lago_id"]
    [consumed] = api.call("get", f"wallet_transactions/{bought['lago_id']}/consumptions").json()[
        "wallet_transaction_consumptions"
    ]
    assert (consumed["credit_amount"], consumed["wallet_transaction"]["lago_invoice_id"]) == ("94.0", str(used.uuid))
    one = api.call("get", f"wallet_transactions/{bought['lago_id']}").json()["wallet_transaction"]
    assert (one["status"], one["remaining_amount_cents"], one["remaining_credit_amount"]) == ("settled", 600, "6.0")
    listed = api.call("get", "invoices?invoice_type=credit").json()["invoices"]
    assert [row["prepaid_granted_credit_amount_cents"] for row in listed] == [None]
    assert refusal(api.call("post", f"wallet_transactions/{bought['lago_id']}/payment_url")) == (
        422,
        {"base": ["no_linked_payment_provider"]},
    )
    assert refusal(api.call("get", f"wallet_transactions/{bought['lago_id']}/fundings"))[0] == 422


def test_wallets_of_a_customer_have_codes(api: ApiClient, customer: Customer) -> None:
    path = "customers/c1/wallets"
    body = {"wallet": {"code": "gpu.1", "currency": "EUR", "rate_amount": "2", "granted_credits": "10"}}
    assert api.call("post", path, body).json()["wallet"]["balance_cents"] == 2000
    changed = api.call("put", f"{path}/gpu.1", {"wallet": {"name": "GPU", "metadata": {"a": "1"}}}).json()["wallet"]
    assert (changed["name"], changed["metadata"]) == ("GPU", {"a": "1"})
    assert api.call("patch", f"{path}/gpu.1/metadata", {"metadata": {"b": "2"}}).json() == {
        "metadata": {"a": "1", "b": "2"}
    }
    assert api.call("delete", f"{path}/gpu.1/metadata/a").json() == {"metadata": {"b": "2"}}
    ended = api.call("delete", f"{path}/gpu.1").json()["wallet"]
    assert (ended["status"], ended["balance_cents"]) == ("terminated", 0)
    api.call("post", path, body)
    assert api.call("get", f"{path}/gpu.1").json()["wallet"]["status"] == "active"
    assert [row["status"] for row in api.call("get", path).json()["wallets"]] == ["active", "terminated"]
    assert api.call("get", f"{path}?status=active").json()["meta"]["total_count"] == 1
    assert refusal(api.call("put", f"wallets/{ended['lago_id']}", {"wallet": {"name": "x"}})) == (
        405,
        "wallet_not_active",
    )


def test_notes_of_a_wallet(api: ApiClient, customer: Customer) -> None:
    path = f"wallets/{wallet(api)['lago_id']}/metadata"
    assert api.call("post", path, {"metadata": {"a": "1", "b": "2"}}).json() == {"metadata": {"a": "1", "b": "2"}}
    assert api.call("delete", f"{path}/c").status_code == 404
    assert api.call("delete", path).json() == {"metadata": None}


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"rate_amount": "0"}, (422, {"rate_amount": ["invalid_rate"]})),
        ({"rate_amount": None}, (422, {"rate_amount": ["value_is_mandatory"]})),
        ({"paid_credits": "x"}, (422, {"paid_credits": ["invalid_paid_credits"]})),
        ({"granted_credits": "-1"}, (422, {"granted_credits": ["invalid_granted_credits"]})),
        ({"currency": "USD", "granted_credits": "1"}, None),
        ({"external_customer_id": "nobody"}, (404, "customer_not_found")),
        ({"billing_entity_code": "nobody"}, (404, "billing_entity_not_found")),
        ({"applies_to": {"fee_types": ["x"]}}, (422, {"applies_to": ["invalid_fee_types"]})),
        ({"applies_to": {"billable_metric_codes": ["x"]}}, (422, {"applies_to": ["invalid_limitations"]})),
        ({"payment_method": {"payment_method_id": "x"}}, (422, {"payment_method": ["unsupported_value"]})),
    ],
)
def test_wallets_that_are_refused(api: ApiClient, customer: Customer, values: Any, answer: Any) -> None:
    content = {"external_customer_id": "c1", "currency": "EUR", "rate_amount": "1", **values}

    found = api.call("post", "wallets", {"wallet": content})

    assert (found.status_code if answer is None else refusal(found)) == (answer or 200)
    assert Wallet.objects.count() == (answer is None)


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"wallet_id": "x", "paid_credits": "1"}, (422, {"wallet_id": ["wallet_not_found"]})),
        ({"paid_credits": "1", "name": "n" * 256}, (422, {"name": ["value_is_too_long"]})),
        ({}, (422, {"base": ["invalid_amount"]})),
        ({"voided_credits": "1"}, (422, {"voided_credits": ["insufficient_credits"]})),
        ({"voided_credits": "1", "voided_transaction_id": "x"}, (404, "wallet_transaction_not_found")),
        ({"granted_credits": "1", "priority": 0}, (422, {"priority": ["value_is_invalid"]})),
        ({"granted_credits": "1e3"}, (422, {"granted_credits": ["invalid_granted_credits"]})),
    ],
)
def test_transactions_that_are_refused(api: ApiClient, customer: Customer, values: Any, answer: Any) -> None:
    body = {"wallet_transaction": {"wallet_id": wallet(api)["lago_id"], **values}}

    assert refusal(api.call("post", "wallet_transactions", body)) == answer
    assert not WalletTransaction.objects.exists()


def test_what_is_not_there(api: ApiClient, customer: Customer) -> None:
    assert refusal(api.call("get", "wallets/x")) == (404, "wallet_not_found")
    assert refusal(api.call("get", "customers/c1/wallets/x")) == (404, "wallet_not_found")
    assert refusal(api.call("get", "wallet_transactions/x")) == (404, "wallet_transaction_not_found")


def test_lists_cost_the_same_however_long_they_are(
    api: ApiClient, customer: Customer, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        purse = purses.make_wallet(customer, code=f"w{number}")
        for _ in range(3):
            purses.give(purse, "1")
    with django_assert_max_num_queries(12):
        assert len(api.call("get", "wallets").json()["wallets"]) == 3
    with django_assert_max_num_queries(12):
        path = f"wallets/{purse.uuid}/wallet_transactions?transaction_type=inbound&status=settled"
        assert len(api.call("get", path).json()["wallet_transactions"]) == 3
