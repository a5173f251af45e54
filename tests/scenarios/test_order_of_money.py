"""What an invoice takes, in its order, and what comes back when it is voided or its customer goes: through the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import TestCase

from billing.services import interval_top_ups
from invoicing.models import Invoice
from tests.factories import books
from tests.factories.customers import make_default_entity
from tests.factories.invoicing import make_tax
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY, MARCH = datetime(2026, 2, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, 1, tzinfo=UTC)


class Shop:
    """A seller with 20 % tax, one customer of a plan of 100.00 a month in arrears, and its clock."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.client = ApiClient()
        make_default_entity(at=START, default_currency="EUR", tax_codes=[make_tax("vat20", "0.20").code])

    def send(self, method: str, path: str, content: Any = None) -> Any:
        with TestCase.captureOnCommitCallbacks(execute=True):
            answer = self.client.call(method, path, content)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def open(self, **customer: Any) -> None:
        self.send("post", "customers", {"customer": {"external_id": "c", "currency": "EUR", **customer}})
        plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 10000, "amount_currency": "EUR"}
        self.send("post", "plans", {"plan": {**plan, "pay_in_advance": False}})
        subscription = {"external_customer_id": "c", "external_id": "s", "plan_code": "p"}
        self.send("post", "subscriptions", {"subscription": subscription})

    def coupon(self, code: str, **terms: Any) -> None:
        content = {"name": code, "code": code, "expiration": "no_expiration", "coupon_type": "fixed_amount", **terms}
        self.send("post", "coupons", {"coupon": content})
        self.send("post", "applied_coupons", {"applied_coupon": {"external_customer_id": "c", "coupon_code": code}})

    def wallet(self, **values: Any) -> str:
        content = {"external_customer_id": "c", "currency": "EUR", "rate_amount": "1", **values}
        return str(self.send("post", "wallets", {"wallet": content})["wallet"]["lago_id"])

    def bill(self, at: datetime) -> dict[str, Any]:
        self.clock.move_to(at)
        with TestCase.captureOnCommitCallbacks(execute=True):
            call_command("run_jobs", "billing")
        return self.newest()

    def newest(self) -> dict[str, Any]:
        listed = self.client.read("invoices").json()["invoices"]
        found: dict[str, Any] = self.client.read(f"invoices/{listed[0]['lago_id']}").json()["invoice"]
        return found

    def balance(self, wallet_id: str) -> int:
        return int(self.client.read(f"wallets/{wallet_id}").json()["wallet"]["balance_cents"])


@pytest.fixture
def shop() -> Iterator[Shop]:
    with time_machine.travel(START, tick=False) as clock:
        yield Shop(clock)


@contextmanager
def sound() -> Iterator[None]:
    yield
    books.assert_sound()


def amounts(invoice: dict[str, Any], *names: str) -> list[int]:
    return [invoice[f"{name}_amount_cents"] for name in names]


def test_coupon_tax_credit_note_and_wallet_take_their_turns_and_come_back(shop: Shop) -> None:
    shop.open()
    first = shop.bill(FEBRUARY)
    item = {"fee_id": first["fees"][0]["lago_id"], "amount_cents": 2500}
    note = {"invoice_id": first["lago_id"], "reason": "other", "credit_amount_cents": 3000, "items": [item]}
    shop.send("post", "credit_notes", {"credit_note": note})
    shop.coupon("ten", frequency="once", amount_cents=1000, amount_currency="EUR")
    wallet = shop.wallet(granted_credits="50")

    second = shop.bill(MARCH)

    # 100 − 10 = 90, + 18 tax = 108, − 30 of the note = 78, − 50 of the wallet
    parts = ("fees", "coupons", "taxes", "credit_notes", "prepaid_credit", "total")
    assert amounts(second, *parts) == [10000, 1000, 1800, 3000, 5000, 2800]
    assert shop.balance(wallet) == 0
    with sound():
        shop.send("post", f"invoices/{second['lago_id']}/void", {})
    (left,) = shop.client.read("credit_notes").json()["credit_notes"]
    (applied,) = shop.client.read("applied_coupons").json()["applied_coupons"]
    assert (left["balance_amount_cents"], left["credit_status"]) == (3000, "available")
    assert (applied["status"], applied["amount_cents_remaining"], shop.balance(wallet)) == ("active", 1000, 5000)


def test_notes_over_an_invoice_with_a_coupon_give_back_what_was_billed(shop: Shop) -> None:
    shop.open()
    shop.coupon("ten", frequency="once", amount_cents=1000, amount_currency="EUR")
    billed = shop.bill(FEBRUARY)
    fee = billed["fees"][0]["lago_id"]

    def credit(cents: int, total: int) -> list[int]:
        item = {"fee_id": fee, "amount_cents": cents}
        note = {"invoice_id": billed["lago_id"], "reason": "other", "credit_amount_cents": total, "items": [item]}
        found = shop.send("post", "credit_notes", {"credit_note": note})["credit_note"]
        return amounts(found, "coupons_adjustment", "sub_total_excluding_taxes", "taxes", "total")

    # 33.33 − 3.333 = 29.997, × 0.2 = 5.9994; the last one takes the rest of 10.00, 18.00 and 108.00
    assert credit(3333, 3600) == [333, 3000, 600, 3600]
    with sound():
        assert credit(6667, 7200) == [667, 6000, 1200, 7200]


def test_a_customer_that_goes_uses_what_it_has_for_its_last_invoices_and_leaves_nothing_that_bills(shop: Shop) -> None:
    shop.open(billing_configuration={"invoice_grace_period": 3})
    shop.coupon("ten", frequency="forever", amount_cents=1000, amount_currency="EUR")
    rule = {"trigger": "interval", "interval": "monthly", "method": "fixed", "paid_credits": "10"}
    wallet = shop.wallet(granted_credits="500", recurring_transaction_rules=[rule])
    draft = shop.bill(FEBRUARY)
    assert (draft["status"], draft["coupons_amount_cents"], draft["prepaid_credit_amount_cents"]) == ("draft", 0, 0)

    shop.clock.move_to(FEBRUARY + timedelta(hours=1))
    with sound():
        shop.send("delete", "customers/c")

    last, periodic = Invoice.objects.order_by("-billed_at")[:2]
    # 100 − 10, with 18 tax, is all paid by the wallet; so is the last day, 1/28 of the price
    assert (periodic.status, periodic.coupons_amount.amount, periodic.prepaid_credit_amount.amount) == (
        "finalized",
        10,
        108,
    )
    assert (last.status, last.total_amount.amount, last.coupons_amount.amount > 0) == ("finalized", 0, True)
    kept = shop.client.read(f"wallets/{wallet}").json()["wallet"]
    assert (kept["status"], kept["balance_cents"]) == ("terminated", 0)
    count = Invoice.objects.count()
    assert interval_top_ups.run(as_of=MARCH).top_ups == 0
    assert Invoice.objects.count() == count
