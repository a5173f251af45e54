"""Credit notes on invoices that sold credits of a wallet: refunded while the credits are there, or taken back whole."""

from typing import Any

import pytest

from customers.models import Customer
from invoicing.models import CreditNote, Invoice, Wallet, WalletTransaction
from invoicing.queries import ledger
from tests.factories.platform import ApiClient

Body = dict[str, Any]


@pytest.fixture
def sale(api: ApiClient, customer: Customer) -> Invoice:
    """An issued invoice of 15.00 for 15 credits."""
    wallet = {"external_customer_id": "c1", "name": "w", "currency": "EUR", "rate_amount": "1", "paid_credits": "15"}
    assert api.call("post", "wallets", {"wallet": wallet}).status_code == 200
    return Invoice.objects.get(kind="credit")


def send(api: ApiClient, invoice: Invoice, cents: int, path: str = "credit_notes", **values: Any) -> Any:
    items = [{"fee_id": str(invoice.lines.get().uuid), "amount_cents": cents}]
    return api.call("post", path, {"credit_note": {"invoice_id": str(invoice.uuid), "items": items, **values}})


def pay(api: ApiClient, invoice: Invoice) -> None:
    payment = {"invoice_id": str(invoice.uuid), "amount_cents": 1500, "reference": "wire"}
    assert api.call("post", "payments", {"payment": payment}).status_code == 200


def balances() -> dict[str, str]:
    return {row.role: f"{row.amount.amount.normalize():f}" for row in ledger.balances() if row.amount}


def test_what_was_not_paid_is_taken_back_as_a_whole(api: ApiClient, sale: Invoice) -> None:
    part = send(api, sale, 500, offset_amount_cents=500)
    refund = send(api, sale, 1500, refund_amount_cents=1500)
    whole = send(api, sale, 1500)

    assert (part.status_code, part.json()["code"]) == (405, "invalid_type_or_status")
    assert (refund.status_code, refund.json()["error_details"]) == (
        422, {"refund_amount_cents": ["cannot_refund_unpaid_invoice"]},
    )  # fmt: skip
    shown = whole.json()["credit_note"]
    assert (shown["offset_amount_cents"], shown["credit_amount_cents"], shown["refund_amount_cents"]) == (1500, 0, 0)
    sale.refresh_from_db()
    assert sale.payment_status == "succeeded"
    assert WalletTransaction.objects.get().status == "failed"
    assert Wallet.objects.get().balance_amount.amount == 0
    assert balances() == {}


def test_what_was_paid_is_refunded_as_far_as_it_is_left(api: ApiClient, sale: Invoice) -> None:
    pay(api, sale)
    credit = send(api, sale, 500, credit_amount_cents=500)
    estimate = send(api, sale, 500, "credit_notes/estimate").json()["estimated_credit_note"]
    note = send(api, sale, 500).json()["credit_note"]

    assert credit.json()["error_details"] == {"credit_amount_cents": ["cannot_credit_invoice"]}
    assert [estimate[f"max_{way}_amount_cents"] for way in ("creditable", "refundable", "offsettable")] == [0, 500, 0]
    assert (note["refund_amount_cents"], note["refund_status"], note["taxes_amount_cents"]) == (500, "pending", 0)
    taken = WalletTransaction.objects.get(transaction_status="voided")
    assert (taken.amount.amount, taken.credit_note_id) == (5, CreditNote.objects.get().pk)
    assert Wallet.objects.get().balance_amount.amount == 10
    assert balances() == {"cash": "15", "prepaid": "-10", "refunds": "-5"}

    wallet = Wallet.objects.get()
    voided = {"wallet_id": str(wallet.uuid), "voided_credits": "9.95"}
    assert api.call("post", "wallet_transactions", {"wallet_transaction": voided}).status_code == 200
    too_much = send(api, sale, 10)
    assert (too_much.status_code, too_much.json()["error_details"]) == (422, {"base": ["higher_than_wallet_balance"]})
    api.call("delete", f"wallets/{wallet.uuid}")
    assert send(api, sale, 1, "credit_notes/estimate").status_code == 405
    assert CreditNote.objects.count() == 1


def test_a_refund_is_told(api: ApiClient, sale: Invoice) -> None:
    pay(api, sale)
    note = send(api, sale, 1500).json()["credit_note"]

    told = api.call("put", f"credit_notes/{note['lago_id']}", {"credit_note": {"refund_status": "succeeded"}})

    assert told.json()["credit_note"]["refund_status"] == "succeeded"
    assert balances() == {}


def test_what_was_paid_after_the_end_of_the_wallet_can_still_be_given_back(api: ApiClient, sale: Invoice) -> None:
    ended = api.call("delete", f"wallets/{Wallet.objects.get().uuid}")
    assert ended.status_code == 200
    pay(api, sale)
    assert balances() == {"cash": "15", "prepaid": "-15"}

    note = send(api, sale, 1500).json()["credit_note"]

    assert (note["refund_amount_cents"], note["credit_amount_cents"]) == (1500, 0)
    assert (Wallet.objects.get().status, Wallet.objects.get().balance_amount.amount) == ("terminated", 0)
    assert balances() == {"cash": "15", "refunds": "-15"}
