"""Subscriptions that run once they are paid: what waits, what a payment starts, what is given up, and the books."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from moneyed import Money

from billing.domain.activation import Rule
from billing.domain.late_usage import Decision
from billing.models import ActivationRule, BilledPeriod, LateUsage, Subscription
from billing.services import activations, late_usage, runs, subscription_moves, subscriptions, terminations
from config.kernel import errors
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, LedgerEntry, Payment
from invoicing.queries import held_payments, receivables
from invoicing.queries import invoices as known_invoices
from invoicing.queries.invoices import InvoiceFilter
from invoicing.services import invoices, payments
from tests.factories import billing, catalog, customers
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db
START, PAID = instant("2026-05-11T09:00"), instant("2026-05-13T15:00")
FEE = Decimal("20.32")
"""30.00 for May, of which 21 of 31 days are left: 30 / 31 × 21 = 20.3225…"""


@pytest.fixture
def customer() -> Customer:
    return customers.make_customer()


def begin(customer: Customer, *, hours: int | None = None, at: datetime = START, **plan: Any) -> Subscription:
    values = {"cents": 3000, "pay_in_advance": True, **plan}
    version = catalog.make_plan(at=instant("2026-01-01"), **values)
    rules = [Rule(timeout_hours=hours)]
    made = billing.make_subscription(customer, version, at=at, activation_rules=rules)
    made.refresh_from_db()
    return made


def pay(amount: Decimal | str, *, at: datetime = PAID, invoice: Invoice | None = None) -> Payment:
    found = Invoice.objects.get() if invoice is None else invoice
    return payments.record(
        invoice_id=found.pk, amount=Money(Decimal(amount), "EUR"), reference="transfer", paid_at=at, actor=ACTOR, at=at
    )


def rule() -> ActivationRule:
    return ActivationRule.objects.get()


def books() -> dict[str, Decimal]:
    """Balances by role."""
    found: dict[str, Decimal] = {}
    for entry in LedgerEntry.objects.prefetch_related("postings__account"):
        for posting in entry.postings.all():
            found[posting.account.role] = found.get(posting.account.role, Decimal(0)) + posting.amount.amount
    return {role: balance for role, balance in found.items() if balance}


def test_it_waits_and_nothing_is_issued(customer: Customer) -> None:
    made = begin(customer, hours=48)
    assert (made.status, made.started_at, made.next_billing_date, made.activated_at) == ("incomplete", None, None, None)
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.number, invoice.total_amount.amount) == ("open", None, FEE)
    assert (rule().status, rule().expires_at, rule().invoice) == ("pending", START + timedelta(hours=48), invoice)
    assert not LedgerEntry.objects.exists()
    assert list(known_invoices.search(InvoiceFilter())) == []
    assert list(known_invoices.search(InvoiceFilter(statuses=["open"]))) == [invoice]
    assert list(receivables.open_invoices()) == []
    runs.run_scheduled(as_of=instant("2026-06-02"))
    assert Invoice.objects.count() == 1


def test_a_payment_issues_the_invoice_and_starts_it_as_agreed(customer: Customer) -> None:
    begin(customer, hours=48)
    pay(FEE)
    made, invoice = Subscription.objects.get(), Invoice.objects.get()
    assert (made.status, made.started_at, made.activated_at) == ("active", START, PAID)
    assert made.next_billing_date == instant("2026-06-01").date()
    assert (invoice.status, invoice.payment_status, invoice.paid_at) == ("finalized", "succeeded", PAID)
    assert invoice.number
    assert (invoice.issuing_date, invoice.total_amount.amount) == (PAID.date(), FEE)
    assert rule().status == "satisfied"
    assert books() == {"cash": FEE, "revenue": -FEE}
    runs.run_scheduled(as_of=instant("2026-06-01T05:00"))
    assert [row.total_amount.amount for row in Invoice.objects.order_by("pk")] == [FEE, Decimal(30)]


def test_a_part_of_the_payment_keeps_it_waiting(customer: Customer) -> None:
    begin(customer)
    pay("20")
    assert Subscription.objects.get().status == "incomplete"
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.paid_amount.amount, receivables.owed(invoice).amount) == (
        "open",
        Decimal(20),
        Decimal("0.32"),
    )
    assert books() == {"cash": Decimal(20), "customer_credit": Decimal(-20)}
    with pytest.raises(errors.DomainError):
        pay("0.33")
    pay("0.32", at=PAID + timedelta(days=1))
    assert Subscription.objects.get().status == "active"
    assert books() == {"cash": FEE, "revenue": -FEE}


def test_usage_in_the_meantime_is_billed_later(customer: Customer) -> None:
    metric = catalog.make_metric(at=instant("2026-01-01"))
    begin(customer, charges=[catalog.standard(metric, "2")])
    billing.send("sub", "requests", "2026-05-12T10:00:00", "2026-05-20T10:00:00")
    pay(FEE)
    runs.run_scheduled(as_of=instant("2026-06-01T05:00"))
    # 30 for June, and both requests of May at 2.
    assert Invoice.objects.order_by("-pk")[0].total_amount.amount == Decimal(34)


def test_late_usage_of_others_does_not_wait_with_it(customer: Customer) -> None:
    metric = catalog.make_metric(at=instant("2026-01-01"))
    plan = catalog.make_plan("used", charges=[catalog.standard(metric, "2")], at=instant("2026-01-01"))
    billing.make_subscription(customer, plan, "other", at=instant("2026-04-01"))
    runs.run_scheduled(as_of=instant("2026-05-01T05:00"))
    billing.send("other", "requests", "2026-04-20T10:00:00")
    late_usage.run(as_of=instant("2026-05-03"))
    entry = LateUsage.objects.get()
    late_usage.decide(
        entry_id=entry.pk, decision=Decision.BILL, reason="Agreed.", actor=ACTOR, at=instant("2026-05-04")
    )
    begin(customer)
    assert Invoice.objects.get(status="open").total_amount.amount == FEE
    runs.run_scheduled(as_of=instant("2026-06-01T05:00"))
    entry.refresh_from_db()
    assert entry.line is not None
    assert entry.line.invoice.status == "finalized"


def test_a_wait_beyond_the_period_is_caught_up(customer: Customer) -> None:
    begin(customer)
    pay(FEE, at=instant("2026-07-03T10:00"))
    assert Subscription.objects.get().next_billing_date == instant("2026-06-01").date()
    runs.run_scheduled(as_of=instant("2026-07-03T11:00"))
    assert [row.total_amount.amount for row in Invoice.objects.order_by("pk")] == [FEE, Decimal(30), Decimal(30)]


@pytest.mark.parametrize(
    ("plan", "invoices_made"),
    [({"pay_in_advance": False}, 0), ({"cents": 0}, 0), ({"trial_period": Decimal(30)}, 0)],
)
def test_without_anything_to_pay_it_runs_at_once(customer: Customer, plan: dict[str, Any], invoices_made: int) -> None:
    made = begin(customer, hours=1, **plan)
    assert (made.status, made.started_at, rule().status) == ("active", START, "not_applicable")
    assert Invoice.objects.filter(status="open").count() == 0
    assert Invoice.objects.exclude(total_amount=0).count() == invoices_made
    assert subscription_moves.expire_unpaid(as_of=START + timedelta(days=9)).done == 0


def test_one_that_starts_later_waits_from_its_start(customer: Customer) -> None:
    version = catalog.make_plan(cents=3000, pay_in_advance=True, at=instant("2026-01-01"))
    billing.make_subscription(
        customer,
        version,
        at=instant("2026-05-01"),
        subscription_at=START,
        activation_rules=[Rule(timeout_hours=24)],
    )
    assert (Subscription.objects.get().status, rule().status, rule().expires_at) == ("pending", "inactive", None)
    subscription_moves.activate_pending(as_of=START)
    assert (Subscription.objects.get().status, rule().status) == ("incomplete", "pending")
    pay(FEE)
    assert Subscription.objects.get().started_at == START


def test_a_late_start_asks_for_its_first_period_alone(customer: Customer) -> None:
    version = catalog.make_plan(cents=3000, pay_in_advance=True, at=instant("2026-01-01"))
    values: Any = {"subscription_at": START, "activation_rules": [Rule()]}
    billing.make_subscription(customer, version, at=instant("2026-05-01"), **values)
    subscription_moves.activate_pending(as_of=instant("2026-06-02T10:00"))
    assert [row.total_amount.amount for row in Invoice.objects.all()] == [FEE]
    pay(FEE, at=instant("2026-06-02T11:00"))
    runs.run_scheduled(as_of=instant("2026-06-02T12:00"))
    assert [row.total_amount.amount for row in Invoice.objects.order_by("pk")] == [FEE, Decimal(30)]


def test_a_payment_that_does_not_come(customer: Customer) -> None:
    made = begin(customer, hours=48)
    assert subscription_moves.expire_unpaid(as_of=START + timedelta(hours=47, minutes=59)).done == 0
    late = START + timedelta(hours=48)
    assert subscription_moves.expire_unpaid(as_of=late).done == 1
    made.refresh_from_db()
    assert (made.status, made.cancellation_reason, made.canceled_at) == ("canceled", "timeout", late)
    assert (made.started_at, made.next_billing_date) == (None, None)
    assert (Invoice.objects.get().status, rule().status) == ("closed", "expired")
    assert not BilledPeriod.objects.filter(released_at__isnull=True).exists()
    assert not LedgerEntry.objects.exists()
    assert subscription_moves.expire_unpaid(as_of=late).done == 0
    with pytest.raises(payments.UnableToPay):
        pay(FEE, at=late)
    assert not Payment.objects.exists()
    runs.run_scheduled(as_of=instant("2026-06-02"))
    assert Invoice.objects.count() == 1


def test_a_payment_after_the_time_but_before_the_job_counts(customer: Customer) -> None:
    begin(customer, hours=1)
    pay(FEE)
    assert subscription_moves.expire_unpaid(as_of=PAID).done == 0
    assert Subscription.objects.get().status == "active"


def test_declining_keeps_what_was_paid_as_the_customers(customer: Customer) -> None:
    made = begin(customer)
    pay("5")
    for _ in range(2):
        activations.decline(subscription_id=made.pk, reason="No money", actor=ACTOR, at=PAID)
    made.refresh_from_db()
    invoice = Invoice.objects.get()
    assert (made.status, made.cancellation_reason, rule().status) == ("canceled", "payment_failed", "declined")
    assert (invoice.status, invoice.paid_amount.amount) == ("closed", Decimal(0))
    assert held_payments.held(Payment.objects.get()).amount == 5
    assert books() == {"cash": Decimal(5), "customer_credit": Decimal(-5)}
    assert list(known_invoices.visible()) == []


def test_the_id_is_free_again(customer: Customer) -> None:
    made = begin(customer)
    activations.decline(subscription_id=made.pk, reason="", actor=ACTOR, at=PAID)
    again = billing.make_subscription(customer, made.plan_version, at=PAID)
    # 30 / 31 × 19 days from 13 May on
    assert (again.status, Invoice.objects.order_by("-pk")[0].total_amount.amount) == ("active", Decimal("18.39"))


def test_what_is_refused_while_it_waits(customer: Customer) -> None:
    made = begin(customer)
    other = catalog.make_plan("other", cents=9900)
    assert billing.make_subscription(customer, made.plan_version, at=PAID).pk == made.pk
    for refused in (
        lambda: billing.make_subscription(customer, other, at=PAID),
        lambda: terminations.terminate(subscription_id=made.pk, actor=ACTOR, at=PAID),
    ):
        with pytest.raises(errors.Invalid) as refusal:
            refused()
        assert refusal.value.code == "subscription_incomplete"
    invoice = Invoice.objects.get()
    for refused in (
        lambda: invoices.finalize(invoice_id=invoice.pk, actor=ACTOR, at=PAID),
        lambda: invoices.void_draft(invoice_id=invoice.pk, reason="", actor=ACTOR, at=PAID),
        lambda: payments.declare(invoice_id=invoice.pk, payment_status="failed", actor=ACTOR, at=PAID),
    ):
        with pytest.raises(errors.NotAllowed):
            refused()
    with pytest.raises(IntegrityError, match="is issued"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(total_amount=1, fees_amount=1, taxes_amount=0)
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        invoice.lines.update(label="x")
    assert Subscription.objects.get().status == "incomplete"


def test_declared_paid_starts_it_too(customer: Customer) -> None:
    begin(customer)
    payments.declare(invoice_id=Invoice.objects.get().pk, payment_status="succeeded", actor=ACTOR, at=PAID)
    assert Subscription.objects.get().status == "active"
    assert (Invoice.objects.get().status, books()) == ("finalized", {"receivable": FEE, "revenue": -FEE})


def test_credit_of_the_customer_is_not_used(customer: Customer) -> None:
    old = catalog.make_plan("old", cents=3100, pay_in_advance=True, at=instant("2026-01-01"))
    ended = billing.make_subscription(customer, old, "old", at=instant("2026-05-01"))
    terminations.terminate(subscription_id=ended.pk, actor=ACTOR, at=instant("2026-05-06T10:00"))
    note = CreditNote.objects.get()
    assert note.balance_amount.amount == Decimal(25)  # 31 − 6 days at 1.00
    begin(customer)
    waiting = Invoice.objects.get(status="open")
    pay(FEE, invoice=waiting)
    waiting.refresh_from_db()
    note.refresh_from_db()
    assert (waiting.total_amount.amount, waiting.credit_notes_amount.amount) == (FEE, Decimal(0))
    assert note.balance_amount.amount == Decimal(25)


def test_a_change_of_plan_cannot_wait(customer: Customer) -> None:
    version = catalog.make_plan()
    other = catalog.make_plan("other", cents=9900)
    billing.make_subscription(customer, version, at=START)
    with pytest.raises(errors.Invalid) as refusal:
        billing.make_subscription(customer, other, at=PAID, activation_rules=[Rule()])
    assert refusal.value.details == {"activation_rules": ["unsupported_value"]}


def test_two_rules_of_a_type_and_wrong_hours(customer: Customer) -> None:
    version = catalog.make_plan()
    with pytest.raises(errors.Invalid) as refusal:
        billing.make_subscription(customer, version, at=START, activation_rules=[Rule(), Rule(timeout_hours=1)])
    assert refusal.value.details == {"activation_rules": ["value_is_duplicated"]}
    for hours in (0, -1, 24 * 366 + 1):
        with pytest.raises(errors.Invalid):
            Rule(timeout_hours=hours)


def test_the_end_of_its_customer_is_its_own(customer: Customer) -> None:
    made = begin(customer)
    subscription_moves.end_all_of_customer(customer_id=customer.pk, actor=ACTOR, at=PAID)
    made.refresh_from_db()
    assert (made.status, Invoice.objects.get().status) == ("canceled", "closed")


def test_activating_again_changes_nothing(customer: Customer) -> None:
    made = begin(customer)
    pay(FEE)
    activations.satisfy(invoice_id=Invoice.objects.get().pk)
    subscriptions.activate(subscription_id=made.pk, actor=ACTOR, at=PAID)
    made.refresh_from_db()
    assert (made.activated_at, Invoice.objects.count()) == (PAID, 1)
