"""Coupons on invoices: taken when they are issued, before taxes; given back when they are voided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from catalog.models import BillableMetric, Plan
from customers.models import AppliedCoupon, Customer
from customers.services import applied_coupons, coupons
from invoicing.models import Invoice, InvoiceCoupon, InvoiceLine, LedgerEntry
from invoicing.queries import coupon_uses as known
from invoicing.queries import ledger
from invoicing.services import coupon_uses, invoices, overdue
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("messages")]


def euros(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity())


def test_a_coupon_lowers_what_is_taxed(commit_checks: Callable[[], None]) -> None:
    vat, low, none = make.make_tax(), make.make_tax("low", "0.07"), make.make_tax("zero", "0")
    customer = make.make_customer(make.make_entity())
    applied = make_coupons.give(customer)
    lines = [
        make.line("100.00", tax_ids=(vat.pk,)),
        make.line("50.00", tax_ids=(none.pk,)),
        make.line("50.00", tax_ids=(vat.pk, low.pk)),
    ]

    invoice = make.issue(customer, lines=lines)
    commit_checks()

    # 10.00 of 200.00: 5.00, 2.50 and 2.50. VAT (95.00 + 47.50) × 0.19 = 27.075, low 47.50 × 0.07 = 3.325; 30.40
    assert (invoice.fees_amount, invoice.coupons_amount) == (euros("200"), euros("10"))
    assert (invoice.taxes_amount, invoice.total_amount) == (euros("30.40"), euros("220.40"))
    assert [
        (line.precise_coupons_amount, line.taxes_amount.amount, line.precise_taxes_amount)
        for line in invoice.lines.order_by("position")
    ] == [
        (Decimal(5), Decimal("18.05"), Decimal("18.05")),
        (Decimal("2.5"), Decimal(0), Decimal(0)),
        (Decimal("2.5"), Decimal("12.35"), Decimal("12.35")),  # 9.025 + 3.325
    ]
    third = invoice.lines.get(position=3)
    assert [(row.tax_code, row.precise_amount, row.amount.amount) for row in third.applied_taxes.all()] == [
        ("vat19", Decimal("9.025"), Decimal("9.03")),
        ("low", Decimal("3.325"), Decimal("3.33")),
    ]
    assert sorted((row.tax_code, row.base_amount.amount, row.amount.amount) for row in invoice.applied_taxes.all()) == [
        ("low", Decimal("47.50"), Decimal("3.33")),
        ("vat19", Decimal("142.50"), Decimal("27.08")),
        ("zero", Decimal("47.50"), Decimal(0)),
    ]
    use = InvoiceCoupon.objects.get()
    assert (use.amount, use.base_amount, use.trace["shares"]) == (
        euros("10"),
        Decimal(200),
        {"1": "5.0000000", "2": "2.5000000", "3": "2.5000000"},
    )
    applied.refresh_from_db()
    assert (applied.status, applied.ended_by, applied.used_amount) == ("terminated", "use", euros("10"))
    assert known.agrees(invoice=invoice)


def test_the_books_have_the_revenue_after_coupons(customer: Customer) -> None:
    customer.taxes.set([make.make_tax()])
    make_coupons.give(customer, rate="0.5")
    invoice = make.issue(customer, "100.00")

    entry = LedgerEntry.objects.get(source_type="invoicing.invoice", source_id=invoice.pk)
    # Half of 100.00, and 19 % of 50.00
    assert {one.account.role: one.amount.amount for one in entry.postings.all()} == {
        "receivable": Decimal("59.50"),
        "revenue": Decimal(-50),
        "tax": Decimal("-9.50"),
    }
    assert ledger.out_of_balance() == {}


def test_an_amount_that_is_used_once_lasts_until_it_is_used_up(customer: Customer) -> None:
    applied = make_coupons.give(customer, amount_cents=1500)

    taken = [make.issue(customer, amount).coupons_amount.amount for amount in ("10.00", "3.00", "10.00", "10.00")]

    applied.refresh_from_db()
    assert taken == [10, 3, 2, 0]
    assert (applied.left, applied.status) == (euros("0"), "terminated")


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"rate": "0.1", "frequency": "once"}, [1, 0, 0]),
        ({"rate": "0.1", "frequency": "recurring", "frequency_duration": 2}, [1, 1, 0]),
        ({"rate": "0.1", "frequency": "forever"}, [1, 1, 1]),
        ({"amount_cents": 300, "frequency": "recurring", "frequency_duration": 2}, [3, 3, 0]),
        ({"amount_cents": 300, "frequency": "forever"}, [3, 3, 3]),
        ({"amount_cents": 1200, "frequency": "forever"}, [10, 10, 10]),
    ],
)
def test_how_often_a_coupon_is_used(customer: Customer, terms: dict[str, Any], expected: list[int]) -> None:
    make_coupons.give(customer, **terms)
    drafts = [make.draft(customer, "10.00").invoice for _ in range(3)]

    # In one round as well as one by one: what the first one uses is gone for the next.
    issued = invoices.finalize_many(invoice_ids=[one.pk for one in drafts], actor=make.ACTOR, at=make.AT)

    assert [one.coupons_amount.amount for one in issued] == expected


def test_what_takes_nothing_is_not_used(customer: Customer) -> None:
    dollars = make_coupons.give(make.make_customer(customer.billing_entity, "other"), "usd", currency="USD")
    recurring = make_coupons.give(customer, "r", rate="0.001", frequency="recurring", frequency_duration=3)
    taken_off = make_coupons.give(customer, "off")
    applied_coupons.terminate(applied_coupon_id=taken_off.pk, actor=make.ACTOR, at=make.AT)
    expired = make_coupons.give(customer, "old", expires_at=make.AT + timedelta(hours=1))

    one_off = make.issue(customer, "100.00", kind="one_off")
    small = make.issue(customer, "0.30", at=make.AT + timedelta(hours=1))  # 0.1 % of it is nothing

    assert (one_off.coupons_amount, small.coupons_amount) == (euros("0"), euros("0"))
    assert not InvoiceCoupon.objects.exists()
    for applied in (dollars, recurring, expired):
        applied.refresh_from_db()
        assert applied.status == AppliedCoupon.Status.ACTIVE
    assert recurring.frequency_duration_remaining == 3


def test_coupons_limited_to_plans_and_metrics(customer: Customer) -> None:
    Plan.objects.create(code="pro", name="Pro")
    BillableMetric.objects.create(code="calls", name="Calls", aggregation_type="count_agg")
    make_coupons.give(customer, "all", rate="0.5")
    make_coupons.give(customer, "plan", amount_cents=1000, plan_codes=["pro"])
    make_coupons.give(customer, "metric", rate="1", metric_codes=["calls"])
    lines = [
        make.line("20.00", kind="subscription", item_code="pro", plan_code="pro"),
        make.line("30.00", item_code="calls", plan_code="pro"),
        make.line("40.00", item_code="seats", plan_code="basic"),
    ]

    invoice = make.issue(customer, lines=lines)

    # calls: all of 30.00; pro: 10.00 of the 20.00 that are left of it; all: half of what is left, 50.00
    assert [(use.trace["code"], use.amount.amount) for use in invoice.coupons.all()] == [
        ("metric", 30),
        ("plan", 10),
        ("all", 25),
    ]
    assert [line.precise_coupons_amount for line in invoice.lines.order_by("position")] == [15, 30, 20]
    assert invoice.total_amount == euros("25")
    assert known.agrees(invoice=invoice)


def test_an_invoice_that_coupons_pay_is_issued_and_paid(customer: Customer) -> None:
    customer.taxes.set([make.make_tax()])
    make_coupons.give(customer, rate="1")

    invoice = make.issue(customer, "10.00", "0.05")

    assert (invoice.status, invoice.payment_status) == ("finalized", "succeeded")
    assert (invoice.coupons_amount, invoice.taxes_amount, invoice.total_amount) == (
        euros("10.05"),
        euros("0"),
        euros("0"),
    )
    assert overdue.mark(as_of=make.AT + timedelta(days=90)) == 0


def test_drafts_take_nothing_and_tell_what_they_would(customer: Customer) -> None:
    customer.taxes.set([make.make_tax()])
    applied = make_coupons.give(customer)
    draft = make.draft(customer, "100.00").invoice

    would = coupon_uses.would_take(invoice=draft, at=make.AT)

    draft.refresh_from_db()
    applied.refresh_from_db()
    assert would is not None
    assert [(row.pk, use.amount) for row, use in would.uses] == [(applied.pk, euros("10"))]
    assert would.taxes.whole.amount.gross == euros("107.10")  # 90.00 and 19 % of it
    assert (draft.coupons_amount, applied.used_amount) == (euros("0"), euros("0"))
    other = make.draft(make.make_customer(customer.billing_entity, "other"), "1.00").invoice
    assert coupon_uses.would_take(invoice=other, at=make.AT) is None


def test_what_is_given_back_can_be_used_again(customer: Customer, commit_checks: Callable[[], None]) -> None:
    once = make_coupons.give(customer, "once", amount_cents=500)
    recurring = make_coupons.give(customer, "rec", rate="0.1", frequency="recurring", frequency_duration=1)
    removed = make_coupons.give(customer, "gone", amount_cents=10_00, frequency="forever")
    invoice = make.issue(customer, "100.00")
    applied_coupons.terminate(applied_coupon_id=removed.pk, actor=make.ACTOR, at=make.AT)

    for _ in range(2):
        coupon_uses.give_back(invoice=invoice, actor=make.ACTOR, at=make.AT + timedelta(days=1))
        commit_checks()

    for applied in (once, recurring, removed):
        applied.refresh_from_db()
    assert (once.status, once.left) == ("active", euros("5"))
    assert (recurring.status, recurring.frequency_duration_remaining) == ("active", 1)
    assert (removed.status, removed.used_amount) == ("terminated", euros("0"))
    again = make.issue(customer, "100.00", at=make.AT + timedelta(days=2))
    commit_checks()
    # 5.00, then 10 % of 95.00
    assert again.coupons_amount == euros("14.50")
    invoice.refresh_from_db()
    assert invoice.coupons_amount == euros("24.50")  # 5.00 + 9.50 + 10.00: the document says what it said


def test_a_coupon_that_expired_meanwhile_is_given_back_to_nobody(customer: Customer) -> None:
    applied = make_coupons.give(customer, expires_at=make.AT + timedelta(hours=1))
    invoice = make.issue(customer, "100.00")
    coupons.expire_due(as_of=make.AT + timedelta(hours=2))

    coupon_uses.give_back(invoice=invoice, actor=make.ACTOR, at=make.AT + timedelta(hours=3))

    applied.refresh_from_db()
    assert (applied.status, applied.ended_by, applied.used_amount) == ("terminated", "expiry", euros("0"))


def test_the_database_holds_the_sums(customer: Customer, commit_checks: Callable[[], None]) -> None:
    applied = make_coupons.give(customer, amount_cents=1500)
    invoice = make.issue(customer, "10.00")
    commit_checks()
    use = InvoiceCoupon.objects.get()

    refused = [
        lambda: InvoiceCoupon.objects.filter(pk=use.pk).update(amount=Decimal(1)),
        use.delete,
        lambda: AppliedCoupon.objects.filter(pk=applied.pk).update(used_amount=Decimal(1)),
        lambda: AppliedCoupon.objects.filter(pk=applied.pk).update(used_amount=Decimal(16)),
        lambda: AppliedCoupon.objects.filter(pk=applied.pk).update(amount=Decimal(20)),
        lambda: InvoiceCoupon.objects.create(
            invoice=invoice, applied_coupon=make_coupons.give(customer, "c2"), position=2, currency="EUR",
            amount=euros("1"), base_amount=Decimal(1),
        ),
        lambda: InvoiceLine.objects.filter(invoice=invoice).update(precise_coupons_amount=Decimal(1)),
        lambda: Invoice.objects.filter(pk=invoice.pk).update(coupons_amount=Decimal(1)),
    ]  # fmt: skip
    for attempt in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            _tried(attempt, commit_checks)


def _tried(attempt: Callable[[], object], commit_checks: Callable[[], None]) -> None:
    attempt()
    commit_checks()


def test_any_number_of_invoices_takes_as_many_statements(customer: Customer) -> None:
    drafts = [make.draft(customer, "10.00").invoice for _ in range(2)]
    with CaptureQueriesContext(connection) as nobody:
        assert coupon_uses.take(invoices=drafts, at=make.AT) == coupon_uses.Taken()
    assert len(nobody) == 1

    make_coupons.give(customer, rate="0.1", frequency="forever")
    counts = []
    for number in (1, 6):
        made = [make.draft(customer, "10.00", "5.00").invoice for _ in range(number)]
        with CaptureQueriesContext(connection) as queries:
            taken = coupon_uses.take(invoices=made, at=make.AT)
        assert len(taken.uses) == number
        counts.append(len(queries))
    # The coupons with their two limits, lines and their taxes, and the lines written: nothing here is taxed.
    assert counts == [6, 6]
