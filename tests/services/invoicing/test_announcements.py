"""What webhooks are told of documents and money: exactly what happened, once, in its order, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from moneyed import Money

from config.platform.models import WebhookEvent
from config.platform.services import outbox
from customers.models import Customer
from invoicing.models import Invoice, Wallet
from invoicing.services import (
    credit_note_documents,
    credit_notes,
    disputes,
    documents,
    held_payments,
    invoices,
    overdue,
    payments,
    regenerating,
    tax_calculations,
    tax_engines,
    wallet_notes,
    wallet_rules,
    wallet_top_ups,
    wallets,
)
from invoicing.services.voiding import CreditNoteParts
from tests.factories import invoicing as make
from tests.factories import peers
from tests.factories import wallets as purses
from tests.factories.told import Told

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FIRST, SECOND = "ACME-001-001", "ACME-001-002"


@pytest.fixture(autouse=True)
def _no_messages(messages: list[Any]) -> None:
    """Deliver nothing."""


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax()]), currency="EUR")


@pytest.fixture
def told(customer: Customer) -> Told:
    return Told()


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


def pay(invoice: Invoice, amount: str | None = None) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=eur(amount) if amount else invoice.total_amount,
        reference="",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )


def issued(number: str, name: str = "invoice.created", paid: str = "pending") -> tuple[str, ...]:
    return (name, number, "finalized", paid)


def receipt(number: int) -> tuple[str, ...]:
    return ("payment_receipt.created", f"ACME-RCPT-{number:03}")


def test_an_invoice_from_its_draft_to_its_payment(customer: Customer, told: Told) -> None:
    draft = make.draft(customer, "10.00", at=make.AT - DAY).invoice
    assert told.events() == []  # drafting alone is told by whoever knows that it stays a draft
    invoices.tell_drafted(invoices=[draft], at=make.AT)
    assert told.events() == [("invoice.drafted", "ACME-DRAFT", "draft", "pending")]

    assert invoices.finalize_due(as_of=make.AT).done == 1
    assert told.events() == [("invoice.ready_to_finalize", "ACME-DRAFT", "draft", "pending"), issued(FIRST)]
    assert invoices.finalize_due(as_of=make.AT).done == 0
    assert told.events() == []

    invoice = Invoice.objects.get(pk=draft.pk)
    pay(invoice, "1.90")
    assert told.events() == [("payment.succeeded", 190), receipt(1)]  # 11.90 - 1.90 are still due
    assert WebhookEvent.objects.filter(event_type="payment.succeeded", body__contains="ACME-RCPT-001").exists()
    pay(invoice, "10.00")
    paid = issued(FIRST, "invoice.payment_status_updated", "succeeded")
    assert told.events() == [paid, ("payment.succeeded", 1000), receipt(2)]


def test_each_kind_of_invoice_has_its_own_event(customer: Customer, told: Told) -> None:
    for kind in ("subscription", "progressive_billing", "one_off"):
        make.issue(customer, "1.00", kind=kind)
    make.issue(customer, "0.00")

    assert told.events() == [
        issued(FIRST),
        issued(SECOND),
        issued("ACME-001-003", "invoice.one_off_created"),
        issued("ACME-001-004", paid="succeeded"),  # of nothing: paid at once, and told so at once
    ]


def test_a_draft_that_comes_to_nothing_is_gone(customer: Customer, told: Told) -> None:
    Customer.objects.update(finalize_zero_amount_invoice="skip")
    draft = make.draft(customer, "0.00", at=make.AT - DAY).invoice
    make.issue(customer, "0.00")  # nobody heard of it
    invoices.finalize(invoice_id=draft.pk, actor=make.ACTOR, at=make.AT)
    assert told.events() == [("invoice.deleted", "ACME-DRAFT", "closed", "succeeded")]

    other = make.draft(customer, "1.00").invoice
    invoices.void_draft(invoice_id=other.pk, reason="", actor=make.ACTOR, at=make.AT)
    assert told.events() == [("invoice.deleted", "ACME-DRAFT", "voided", "pending")]


def test_what_is_declared_by_hand(customer: Customer, told: Told) -> None:
    invoice = make.issue(customer, "10.00")
    told.events()
    for status in ("pending", "failed", "failed", "succeeded", "succeeded"):
        invoices.update(invoice_id=invoice.pk, payment_status=status, notes=[], actor=make.ACTOR, at=make.AT)
    name = "invoice.payment_status_updated"
    assert told.events() == [issued(FIRST, name, "failed"), issued(FIRST, name, "succeeded")]


def test_overdue_is_told_once_and_a_lost_dispute_too(customer: Customer, told: Told) -> None:
    invoice = make.issue(customer, "10.00")
    told.events()
    late = make.AT + 60 * DAY
    assert [overdue.mark(as_of=late), overdue.mark(as_of=late)] == [1, 0]
    assert told.events() == [issued(FIRST, "invoice.payment_overdue")]

    dispute = disputes.open_dispute(invoice_id=invoice.pk, reason="Broken", amount=eur("1"), actor=make.ACTOR, at=late)
    disputes.resolve(dispute_id=dispute.pk, outcome="lost", actor=make.ACTOR, at=late)
    assert told.events() == []  # most of it is owed all the same
    for _ in range(2):
        disputes.lose(invoice_id=invoice.pk, actor=make.ACTOR, at=late)
    (body,) = told.bodies()
    assert (body["webhook_type"], body["object_type"]) == ("invoice.payment_dispute_lost", "payment_dispute_lost")
    shown = body["payment_dispute_lost"]
    assert (shown["invoice"]["number"], shown["provider_error"]) == (FIRST, None)
    assert shown["invoice"]["payment_dispute_lost_at"] == "2026-06-30T00:10:00Z"


def test_void_and_regenerate(customer: Customer, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = make.issue(customer, "10.00")
    pay(invoice)
    told.events()
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)
    assert told.events() == [("invoice.voided", FIRST, "voided", "succeeded")]
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "wanting", lambda name: pytest.fail(f"{name} is looked at though all is undone"))
        regenerating.preview(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)
    again = regenerating.regenerate(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)
    assert told.events() == [issued(SECOND)]

    held_payments.allocate(
        payment_id=invoice.allocations.get().payment_id,
        invoice_id=again.pk,
        amount=eur("11.90"),
        actor=make.ACTOR,
        at=make.AT,
    )
    assert told.events() == [issued(SECOND, "invoice.payment_status_updated", "succeeded")]


def test_void_with_credit_notes(customer: Customer, told: Told) -> None:
    invoice = make.issue(customer, "10.00")
    told.events()
    parts = CreditNoteParts(credit=eur("5.00"), refund=eur("0"))
    invoices.void(invoice_id=invoice.pk, credit_note=parts, actor=make.ACTOR, at=make.AT)
    assert told.events() == [
        ("credit_note.created", f"{FIRST}-CN001", "available"),
        ("credit_note.created", f"{FIRST}-CN002", "available"),
        ("credit_note.voided", f"{FIRST}-CN002", "voided"),
        ("invoice.voided", FIRST, "voided", "pending"),
    ]


def test_a_credit_note_that_settles_its_invoice(customer: Customer, told: Told) -> None:
    invoice = make.issue(customer, "10.00")
    line = invoice.lines.get()
    told.events()
    note = credit_notes.create(
        invoice_id=invoice.pk,
        amounts={line.pk: eur("10.00")},
        reason="other",
        offset=eur("11.90"),
        metadata={"crm": "7"},
        actor=make.ACTOR,
        at=make.AT,
    )
    first, second = told.bodies()
    assert (first["webhook_type"], second["webhook_type"]) == ("credit_note.created", "invoice.payment_status_updated")
    assert (first["credit_note"]["metadata"], note.metadata) == ({"crm": "7"}, {"crm": "7"})
    assert first["credit_note"]["items"][0]["fee"]["payment_status"] == "succeeded"


def test_documents_are_told_when_they_are_there(
    customer: Customer, told: Told, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(documents.document_pdf, "write", lambda **_: b"%PDF")
    invoice = make.issue(customer, "10.00")
    note = credit_notes.create(
        invoice_id=invoice.pk, amounts={invoice.lines.get().pk: eur("1")}, reason="other", actor=make.ACTOR, at=make.AT
    )
    told.events()
    for _ in range(2):
        documents.render(invoice_id=invoice.pk, at=make.AT)
        credit_note_documents.render(credit_note_id=note.pk, at=make.AT)
    first, second = told.bodies()
    assert (first["webhook_type"], second["webhook_type"]) == ("invoice.generated", "credit_note.generated")
    assert "/files/" in first["invoice"]["file_url"]
    assert "/files/" in second["credit_note"]["file_url"]


def test_a_wallet_from_its_start_to_its_end(customer: Customer, told: Told) -> None:
    rule: Any = {"trigger": "interval", "interval": "monthly", "method": "fixed", "paid_credits": Decimal(5)}
    wallet = wallet_top_ups.create_wallet(
        values=purses.values(customer, code="main"),
        wanted=wallet_top_ups.TopUp(paid_credits=Decimal(10), granted_credits=Decimal(3)),
        recurring=[rule],
        actor=make.ACTOR,
        at=make.AT,
    )
    made, *rest = told.bodies()
    assert (made["webhook_type"], made["wallet"]["credits_balance"]) == ("wallet.created", "0.0")
    assert [one["trigger"] for one in made["wallet"]["recurring_transaction_rules"]] == ["interval"]
    assert [one["webhook_type"] for one in rest] == [
        "invoice.paid_credit_added",
        "wallet_transaction.created",
        "wallet_transaction.created",
    ]
    assert rest[2]["wallet_transaction"]["wallet"]["credits_balance"] == "3.0"

    purses.pay(Invoice.objects.get())
    assert told.events() == [
        issued(FIRST, "invoice.payment_status_updated", "succeeded"),
        ("wallet_transaction.updated", "purchased", "settled", "10.0"),
        ("payment.succeeded", 1000),
        receipt(1),
    ]
    make.issue(customer, "10.00", at=make.AT + DAY)  # 11.90 with tax, all of it from the wallet
    assert told.events() == [
        issued(SECOND, paid="succeeded"),
        ("wallet_transaction.created", "invoiced", "settled", "11.9"),
    ]
    purses.top_up(wallet, voided_credits=Decimal(1))
    assert told.events() == [("wallet_transaction.created", "voided", "settled", "1.0")]
    waiting = purses.buy(wallet, "7", paid=False, invoice_requires_successful_payment=True)
    assert told.events() == [("wallet_transaction.created", "purchased", "pending", "7.0")]

    for _ in range(2):
        wallets.terminate(wallet_id=wallet.pk, actor=make.ACTOR, at=make.AT + 2 * DAY)
    assert told.events() == [
        ("wallet_transaction.updated", "purchased", "failed", "7.0"),
        ("wallet_transaction.created", "voided", "settled", "0.1"),
        ("wallet.terminated", "main", "terminated"),
    ]
    assert waiting.invoice.status == "open"


def test_a_purchase_that_is_issued_once_it_is_paid(customer: Customer, told: Told) -> None:
    row = purses.buy(purses.make_wallet(customer), "7", paid=False, invoice_requires_successful_payment=True)
    told.events()
    purses.pay(row.invoice)
    assert told.events() == [
        issued(FIRST, "invoice.paid_credit_added", "succeeded"),
        ("wallet_transaction.updated", "purchased", "settled", "7.0"),
        ("payment.succeeded", 700),
        receipt(1),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda pk: wallets.update(wallet_id=pk, values={"name": "New"}, actor=make.ACTOR, at=make.AT), 1),
        (lambda pk: wallets.update(wallet_id=pk, values={"priority": 50}, actor=make.ACTOR, at=make.AT), 0),
        (lambda pk: wallets.update(wallet_id=pk, values={}, recurring=[], actor=make.ACTOR, at=make.AT), 0),
        (
            lambda pk: wallets.update(
                wallet_id=pk,
                values={"name": "New"},
                recurring=[{"trigger": "threshold", "threshold_credits": Decimal(1), "paid_credits": Decimal(5)}],
                actor=make.ACTOR,
                at=make.AT,
            ),
            1,
        ),
        (
            lambda pk: wallet_rules.agree(
                wallet_id=pk,
                values=[{"trigger": "threshold", "threshold_credits": Decimal(1), "paid_credits": Decimal(5)}],
                actor=make.ACTOR,
                at=make.AT,
            ),
            1,
        ),
        (lambda pk: wallet_notes.merge(wallet_id=pk, notes={"a": "b"}, actor=make.ACTOR, at=make.AT), 1),
        (lambda pk: wallet_notes.merge(wallet_id=pk, notes={}, actor=make.ACTOR, at=make.AT), 0),
    ],
)
def test_a_changed_wallet(customer: Customer, told: Told, change: Callable[[int], object], expected: int) -> None:
    wallet = purses.make_wallet(customer, code="main")
    told.events()
    change(wallet.pk)
    assert told.events() == [("wallet.updated", "main", "active")] * expected


def test_a_voided_invoice_gives_its_credits_back(customer: Customer, told: Told) -> None:
    wallet = purses.make_wallet(customer, code="main")
    purses.give(wallet, "20")
    invoice = make.issue(customer, "10.00", at=make.AT + DAY)
    told.events()
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT + DAY)
    assert told.events() == [
        ("invoice.voided", FIRST, "voided", "succeeded"),
        ("wallet_transaction.created", "granted", "settled", "11.9"),
    ]
    bought = purses.buy(wallet, "5", paid=False)
    told.events()
    invoices.void(invoice_id=bought.invoice_id, actor=make.ACTOR, at=make.AT + DAY)
    assert told.events() == [
        ("invoice.voided", SECOND, "voided", "pending"),
        ("wallet_transaction.updated", "purchased", "failed", "5.0"),
    ]
    assert Wallet.objects.get().credits_balance == 20


def test_an_engine_that_refuses(customer: Customer, told: Told) -> None:
    with peers.serve(lambda *_: (422, {"error": "no such place"})) as peer:
        tax_engines.create(
            values={"billing_entity_code": "acme", "code": "engine", "url": peer.url, "token": "secret"},
            actor=make.ACTOR,
            at=make.AT,
        )
        make.issue(customer, "10.00")
        assert told.events() == []
        tax_calculations.run(as_of=make.AT)
    assert told.events() == [("customer.tax_provider_error", "c1", "engine")]


def test_what_is_rolled_back_was_never_told(customer: Customer, told: Told) -> None:
    with transaction.atomic():
        pay(make.issue(customer, "10.00"))
        heard = [name for name, *_ in told.events()]
        transaction.set_rollback(True)
    assert heard == [
        "invoice.created",
        "invoice.payment_status_updated",
        "payment.succeeded",
        "payment_receipt.created",
    ]
    assert WebhookEvent.objects.count() == 0
