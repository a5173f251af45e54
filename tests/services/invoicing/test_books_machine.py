"""A machine that drafts, issues, pays, credits, tops up, draws, disputes and voids in any order: after every step the
books hold, by the checks that the product runs every night and by what the database checks when a transaction ends.

BOOKS_MACHINE_EXAMPLES and BOOKS_MACHINE_STEPS ask for more of it than a usual run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from moneyed import Money

from billing.services import books_register as billing_register
from config.kernel import checks, errors, money
from config.kernel.checks import Scope
from customers.models import BillingEntity
from invoicing.models import (
    CreditNote,
    Invoice,
    InvoiceDispute,
    InvoiceLine,
    Payment,
    Wallet,
    WalletTransaction,
)
from invoicing.services import (
    books_checks,
    books_register,
    credit_notes,
    disputes,
    held_payments,
    invoices,
    overdue,
    payments,
    regenerating,
    standalone_lines,
    wallet_top_ups,
    wallets,
)
from invoicing.services.standalone_lines import StandaloneSpec
from invoicing.services.voiding import CreditNoteParts
from invoicing.services.wallet_top_ups import TopUp
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make

EXAMPLES = int(os.environ.get("BOOKS_MACHINE_EXAMPLES", "12"))
STEPS = int(os.environ.get("BOOKS_MACHINE_STEPS", "20"))
SOLD = ("charge", "subscription", "fixed_charge", "add_on")
RATES = ("0.19", "0.07", "0.0825", "0.055")

which = st.integers(0, 50)
cents = st.integers(1, 20_000)
share = st.sampled_from(["0.1", "0.3333", "0.5", "1", "1.2"])


class Books(RuleBasedStateMachine):
    """One seller with a customer or two, in one currency; every example is rolled back."""

    def __init__(self) -> None:
        super().__init__()
        self.at = make.AT
        self.done = 0
        self.names = [one.name for one in checks.registered() if not one.is_sampled]
        self.whole = transaction.atomic()
        self.whole.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.whole.__exit__(None, None, None)

    @initialize(
        currency=st.sampled_from(["EUR", "EUR", "JPY", "BHD"]),
        rates=st.lists(st.sampled_from(RATES), max_size=3, unique=True),
        numbering=st.sampled_from(["per_customer", "per_billing_entity"]),
    )
    def begin(self, currency: str, rates: list[str], numbering: str) -> None:
        self.currency = currency
        taxes = [make.make_tax(f"t{number}", rate) for number, rate in enumerate(rates)]
        self.entity = make.make_entity(taxes=taxes, document_numbering=numbering, default_currency=currency)
        self.customers = [make.make_customer(self.entity, name, currency=currency) for name in ("c1", "c2")]

    # --- Documents -------------------------------------------------------------------------------------------------

    @rule(who=which, amounts=st.lists(cents, min_size=1, max_size=4), kind=st.sampled_from(SOLD), issue=st.booleans())
    def bill(self, who: int, amounts: list[int], kind: str, issue: bool) -> None:
        customer = self.customers[who % 2]
        lines = tuple(make.line(self.major(one), self.currency, kind=kind) for one in amounts)
        kind = "one_off" if kind == "add_on" else "subscription"
        drafted = make.draft(customer, lines=lines, currency=self.currency, kind=kind, billed_at=self.at, at=self.at)
        if issue:
            self.do(invoices.finalize, invoice_id=drafted.invoice.pk)

    @rule(one=which)
    def issue(self, one: int) -> None:
        self.on(Invoice.objects.filter(status="draft"), one, lambda row: self.do(invoices.finalize, invoice_id=row.pk))

    @rule(one=which)
    def give_up(self, one: int) -> None:
        drafts = Invoice.objects.filter(status="draft")
        self.on(drafts, one, lambda row: self.do(invoices.void_draft, invoice_id=row.pk, reason="not wanted"))

    @rule(one=which, parts=st.one_of(st.none(), st.tuples(share, share)))
    def void(self, one: int, parts: tuple[str, str] | None) -> None:
        def take_back(row: Invoice) -> None:
            note = None
            if parts is not None:
                credit, refund = (self.part(row.total_amount, text) for text in parts)
                note = CreditNoteParts(credit=credit, refund=refund)
            self.do(invoices.void, invoice_id=row.pk, credit_note=note)

        self.on(Invoice.objects.filter(status="finalized"), one, take_back)

    @rule(one=which)
    def regenerate(self, one: int) -> None:
        rows = Invoice.objects.filter(status="voided")
        self.on(rows, one, lambda row: self.do(regenerating.regenerate, invoice_id=row.pk))

    @rule()
    def renumber(self) -> None:
        """Switch the scheme of numbers."""
        now = BillingEntity.objects.get(pk=self.entity.pk).document_numbering
        other = "per_customer" if now == "per_billing_entity" else "per_billing_entity"
        BillingEntity.objects.filter(pk=self.entity.pk).update(document_numbering=other)

    # --- Money -----------------------------------------------------------------------------------------------------

    @rule(one=which, part=share)
    def pay(self, one: int, part: str) -> None:
        def receive(row: Invoice) -> None:
            amount = self.part(row.total_amount - row.paid_amount - row.offset_amount, part)
            self.do(payments.record, invoice_id=row.pk, amount=amount, reference="wire", paid_at=self.at)

        self.on(Invoice.objects.filter(status__in=["finalized", "open"]), one, receive)

    @rule(one=which, status=st.sampled_from(["succeeded", "failed", "pending"]))
    def declare(self, one: int, status: str) -> None:
        rows = Invoice.objects.filter(status__in=["finalized", "open"])
        self.on(rows, one, lambda row: self.do(payments.declare, invoice_id=row.pk, payment_status=status))

    @rule(one=which, part=share, other=which)
    def use_held(self, one: int, part: str, other: int) -> None:
        target = self.pick(Invoice.objects.filter(status="finalized"), other)
        rows = Payment.objects.filter(allocations__release__isnull=False).distinct()
        if target is None:
            return
        self.on(
            rows,
            one,
            lambda row: self.do(
                held_payments.allocate,
                payment_id=row.pk,
                invoice_id=target.pk,
                amount=self.part(target.total_amount - target.paid_amount, part),
            ),
        )

    @rule(one=which, part=share)
    def refund_held(self, one: int, part: str) -> None:
        def give(row: Payment) -> None:
            self.do(held_payments.refund, payment_id=row.pk, amount=self.part(row.amount, part), reference="back")

        self.on(Payment.objects.filter(allocations__release__isnull=False).distinct(), one, give)

    @rule(who=which, amount=cents)
    def charge_at_once(self, who: int, amount: int) -> None:
        spec = StandaloneSpec(
            customer_id=self.customers[who % 2].pk,
            billing_entity_id=self.entity.pk,
            currency=self.currency,
            line=make.line(self.major(amount), self.currency),
        )
        self.do(standalone_lines.create_many, specs=[spec])

    @rule(one=which, status=st.sampled_from(["succeeded", "failed", "refunded", "deleted"]))
    def settle_at_once(self, one: int, status: str) -> None:
        rows = InvoiceLine.objects.filter(invoice__isnull=True, deleted_at__isnull=True)
        if status == "deleted":
            self.on(rows, one, lambda row: self.do(standalone_lines.delete, line_id=row.pk))
        else:
            change = standalone_lines.set_payment_status
            self.on(rows, one, lambda row: self.do(change, line_id=row.pk, payment_status=status))

    # --- Credit notes ----------------------------------------------------------------------------------------------

    @rule(one=which, part=share, way=st.sampled_from(["usual", "credit", "refund", "offset"]))
    def credit(self, one: int, part: str, way: str) -> None:
        def give_back(row: InvoiceLine) -> None:
            amounts = {row.pk: self.part(row.amount, part)}
            with transaction.atomic():
                try:
                    found = credit_notes.estimate(invoice_id=row.invoice_id, amounts=amounts)
                except errors.DomainError:
                    return
            wanted = {} if way == "usual" else {way: found.credited.amount.gross}
            self.do(credit_notes.create, invoice_id=row.invoice_id, amounts=amounts, reason="other", **wanted)

        self.on(InvoiceLine.objects.filter(invoice__status="finalized", amount__gt=0), one, give_back)

    @rule(one=which, verb=st.sampled_from(["void", "succeeded", "failed"]))
    def settle_note(self, one: int, verb: str) -> None:
        def settle(row: CreditNote) -> None:
            if verb == "void":
                self.do(credit_notes.void, credit_note_id=row.pk)
            else:
                self.do(credit_notes.update, credit_note_id=row.pk, refund_status=verb)

        self.on(CreditNote.objects.filter(status="finalized"), one, settle)

    # --- Coupons and wallets ---------------------------------------------------------------------------------------

    @rule(
        who=which, amount=cents, rate=st.sampled_from(["", "0.1", "0.3333"]), often=st.sampled_from(["once", "forever"])
    )
    def give_coupon(self, who: int, amount: int, rate: str, often: str) -> None:
        self.done += 1
        code = f"coupon{self.done}"
        values = {"rate": rate} if rate else {"amount_cents": amount, "currency": self.currency}
        with transaction.atomic():
            make_coupons.give(self.customers[who % 2], code, frequency=often, at=self.at, **values)

    @rule(who=which, rate=st.sampled_from(["1", "2.5", "0.333"]), waits=st.booleans())
    def open_wallet(self, who: int, rate: str, waits: bool) -> None:
        self.done += 1
        values: Any = {
            "external_customer_id": self.customers[who % 2].external_id,
            "code": f"w{self.done}",
            "currency": self.currency,
            "rate_amount": Decimal(rate),
            "invoice_requires_successful_payment": waits,
        }
        self.do(wallets.create, values=values)

    @rule(one=which, paid=st.sampled_from(["0", "10", "33.33", "250"]), given=st.sampled_from(["0", "7.5", "100"]))
    def top_up(self, one: int, paid: str, given: str) -> None:
        wanted = TopUp(paid_credits=Decimal(paid), granted_credits=Decimal(given))
        self.on(
            Wallet.objects.filter(status="active"),
            one,
            lambda row: self.do(wallet_top_ups.top_up, wallet_id=row.pk, wanted=wanted),
        )

    @rule(one=which)
    def pay_top_up(self, one: int) -> None:
        def receive(row: WalletTransaction) -> None:
            bill = row.invoice
            self.do(payments.record, invoice_id=bill.pk, amount=bill.total_amount, reference="w", paid_at=self.at)

        self.on(WalletTransaction.objects.filter(status="pending", invoice__isnull=False), one, receive)

    @rule(one=which, amount=st.sampled_from(["1", "5.5", "1000"]))
    def void_credits(self, one: int, amount: str) -> None:
        wanted = TopUp(voided_credits=Decimal(amount))
        self.on(
            Wallet.objects.filter(status="active"),
            one,
            lambda row: self.do(wallet_top_ups.top_up, wallet_id=row.pk, wanted=wanted),
        )

    @rule(one=which)
    def end_wallet(self, one: int) -> None:
        self.on(Wallet.objects.filter(status="active"), one, lambda row: self.do(wallets.terminate, wallet_id=row.pk))

    # --- Disputes and time -----------------------------------------------------------------------------------------

    @rule(one=which, part=share)
    def dispute(self, one: int, part: str) -> None:
        def open_one(row: Invoice) -> None:
            amount = None if part == "1" else self.part(row.total_amount, part)
            self.do(disputes.open_dispute, invoice_id=row.pk, reason="not ordered", amount=amount)

        self.on(Invoice.objects.filter(status="finalized"), one, open_one)

    @rule(one=which, outcome=st.sampled_from(["won", "lost", "withdrawn"]))
    def resolve(self, one: int, outcome: str) -> None:
        rows = InvoiceDispute.objects.all()
        self.on(rows, one, lambda row: self.do(disputes.resolve, dispute_id=row.pk, outcome=outcome))

    @rule(days=st.sampled_from([1, 20, 40]))
    def wait(self, days: int) -> None:
        self.at += timedelta(days=days)
        overdue.mark(as_of=self.at)
        invoices.finalize_due(as_of=self.at)
        wallets.expire(as_of=self.at)

    # --- What holds after every step -------------------------------------------------------------------------------

    @invariant()
    def the_books_hold(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        broken = books_checks.findings(scope=Scope(as_of=self.at), names=self.names)
        assert [(check.name, found.label, found.message) for check, found in broken] == []

    # --- Helpers ---------------------------------------------------------------------------------------------------

    def do(self, service: Callable[..., Any], **values: Any) -> None:
        """Call a service; a rule that refuses changes nothing."""
        self.at += timedelta(minutes=1)
        try:
            with transaction.atomic():
                service(**values, actor=make.ACTOR, at=self.at)
        except errors.DomainError:
            pass

    def pick(self, rows: models.QuerySet[Any], one: int) -> Any:
        ids = list(rows.order_by("pk").values_list("pk", flat=True))
        return rows.model._default_manager.get(pk=ids[one % len(ids)]) if ids else None

    def on(self, rows: models.QuerySet[Any], one: int, call: Callable[[Any], None]) -> None:
        found = self.pick(rows, one)
        if found is not None:
            call(found)

    def major(self, minor: int) -> Decimal:
        return money.from_minor(minor, self.currency).amount

    def part(self, amount: Money, text: str) -> Money:
        return Money(money.quantize(amount.amount * Decimal(text), currency=self.currency), self.currency)


@pytest.mark.django_db
def test_the_books_hold_whatever_happens() -> None:
    books_register.register()
    billing_register.register()
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
