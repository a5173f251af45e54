"""Drafts: exact amounts, dates, the lines in their order, and as many statements for many as for a few."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from config.kernel import errors
from config.platform.models import AuditEntry
from invoicing.domain import totals
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, LedgerEntry, LineTax
from invoicing.services import drafting, invoices
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def test_a_draft_has_lines_taxes_totals_and_dates() -> None:
    entity = make.make_entity(taxes=[make.make_tax()], net_payment_term=14, document_locale="de")
    customer = make.make_customer(entity, invoice_grace_period=3)

    drafted = make.draft(customer, "10.05", "0.50", timezone="Europe/Berlin")

    invoice = Invoice.objects.get(pk=drafted.invoice.pk)
    assert (invoice.status, invoice.number, invoice.snapshot) == ("draft", None, {})
    # 10.05 + 0.50 = 10.55; × 0.19 = 2.0045 -> 2.00, though the lines' own are 1.91 (1.9095) + 0.10 (0.095)
    assert invoice.fees_amount == Money("10.55", "EUR")
    assert invoice.taxes_amount == Money("2.00", "EUR")
    assert invoice.total_amount == Money("12.55", "EUR")
    assert invoice.paid_amount == Money("0", "EUR")
    assert (invoice.issuing_date, invoice.payment_due_date) == (date(2026, 5, 4), date(2026, 5, 18))
    assert invoice.finalize_after == datetime(2026, 5, 3, 22, tzinfo=UTC)
    assert (invoice.locale, invoice.net_payment_term, invoice.created_at) == ("de", 14, make.AT)
    lines = list(invoice.lines.all())
    assert [(line.position, line.amount.amount, line.taxes_amount.amount) for line in lines] == [
        (1, Decimal("10.05"), Decimal("1.91")),
        (2, Decimal("0.50"), Decimal("0.10")),
    ]
    assert [line.pk for line in drafted.lines] == [line.pk for line in lines]
    assert [row.amount.amount for row in LineTax.objects.all()] == [Decimal("1.91"), Decimal("0.10")]
    group = InvoiceTax.objects.get(invoice=invoice)
    assert (group.base_amount, group.amount, group.rate) == (
        Money("10.55", "EUR"),
        Money("2.00", "EUR"),
        Decimal("0.19"),
    )
    assert not LedgerEntry.objects.exists()
    assert AuditEntry.objects.get(object_id=invoice.pk, verb="draft").actor_label == "tests"


@pytest.mark.parametrize(
    ("currency", "amount", "tax", "total"),
    [("JPY", "1005", "191", "1196"), ("BHD", "1.005", "0.191", "1.196"), ("USD", "10.05", "1.91", "11.96")],
)
def test_amounts_have_the_decimals_of_the_currency(currency: str, amount: str, tax: str, total: str) -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))

    invoice = make.draft(customer, amount, currency=currency).invoice

    invoice.refresh_from_db()
    assert invoice.taxes_amount == Money(tax, currency)
    assert invoice.total_amount == Money(total, currency)


def test_taxes_come_from_the_line_else_the_customer_else_the_seller() -> None:
    of_seller, of_customer = make.make_tax("seller", "0.19"), make.make_tax("customer", "0.07")
    own = make.make_tax("own", "0.05")
    gone = make.make_tax("gone", "0.50", deleted_at=make.AT)
    entity = make.make_entity(taxes=[of_seller])
    plain, special = make.make_customer(entity, "c1"), make.make_customer(entity, "c2", taxes=[of_customer, gone])
    lines = (make.line("100"), make.line("100", tax_ids=(own.pk,)), make.line("100", tax_ids=(gone.pk,)))

    drafted = invoices.draft_many(
        specs=[make.spec(plain, lines=lines), make.spec(special, lines=lines)], actor=make.ACTOR, at=make.AT
    )

    codes = [
        [[row.tax_code for row in line.applied_taxes.all()] for line in one.invoice.lines.order_by("position")]
        for one in drafted
    ]
    assert codes == [[["seller"], ["own"], ["seller"]], [["customer"], ["own"], ["customer"]]]
    assert [one.invoice.taxes_amount.amount for one in drafted] == [Decimal("43.00"), Decimal("19.00")]


def test_figures_are_stored_as_the_columns_hold_them() -> None:
    customer = make.make_customer(make.make_entity())
    third = Decimal(10) / Decimal(3)
    line = make.line("3.33", units=third, precise_amount=third, unit_amount=Decimal("0.00012"))

    drafted = make.draft(customer, lines=[line])

    stored = InvoiceLine.objects.get()
    assert stored.units == drafted.lines[0].units == Decimal("3.333333333333333")
    assert stored.precise_amount == drafted.lines[0].precise_amount
    assert stored.unit_amount == Decimal("0.00012")


def test_refuses_what_cannot_be_invoiced_and_leaves_nothing() -> None:
    customer = make.make_customer(make.make_entity())
    wrong = [
        (
            errors.Invalid,
            make.spec(customer, lines=[dataclasses.replace(make.line("1"), amount=Money("0.001", "EUR"))]),
        ),
        (totals.MixedCurrencies, make.spec(customer, lines=[make.line("1", "USD")])),
        (drafting.UnableToDraft, make.spec(customer, "-1.00")),
        (drafting.UnableToDraft, make.spec(customer, "1.00", customer_id=customer.pk + 1)),
        (drafting.UnableToDraft, make.spec(customer, "1.00", billing_entity_id=customer.billing_entity_id + 1)),
    ]
    for error, spec in wrong:
        with pytest.raises(error):
            invoices.draft_many(specs=[make.spec(customer, "5.00"), spec], actor=make.ACTOR, at=make.AT)
    assert not Invoice.objects.exists()
    assert invoices.draft_many(specs=[], actor=make.ACTOR, at=make.AT) == []


def test_twenty_drafts_take_as_many_statements_as_two() -> None:
    entity = make.make_entity(taxes=[make.make_tax()])
    customers = [make.make_customer(entity, f"c{number}") for number in range(20)]

    def statements(count: int) -> int:
        specs = [make.spec(customer, "1.00", "2.00", "3.00") for customer in customers[:count]]
        with CaptureQueriesContext(connection) as captured:
            invoices.draft_many(specs=specs, actor=make.ACTOR, at=make.AT)
        return len(captured)

    assert statements(20) == statements(2) <= 14


def test_recompute_replaces_lines_and_taxes_only() -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))
    drafted = make.draft(customer, "1.00", "2.00")

    again = invoices.recompute(
        invoice_id=drafted.invoice.pk,
        lines=[make.line("100.00")],
        actor=make.ACTOR,
        at=datetime(2026, 5, 2, tzinfo=UTC),
    )

    invoice = Invoice.objects.get()
    assert invoice.total_amount == again.invoice.total_amount == Money("119.00", "EUR")
    assert [line.pk for line in invoice.lines.all()] == [line.pk for line in again.lines]
    assert InvoiceTax.objects.get().base_amount == Money("100.00", "EUR")
    assert (invoice.issuing_date, invoice.created_at) == (drafted.invoice.issuing_date, make.AT)
    entry = AuditEntry.objects.get(verb="recompute")
    assert (entry.old, entry.new) == ({"total_cents": 357}, {"total_cents": 11900})


def test_recompute_refuses_what_is_issued() -> None:
    invoice = make.issue(make.make_customer(make.make_entity()), "1.00")

    with pytest.raises(errors.NotAllowed):
        invoices.recompute(invoice_id=invoice.pk, lines=[], actor=make.ACTOR, at=make.AT)
    with pytest.raises(errors.NotFound):
        invoices.recompute(invoice_id=0, lines=[], actor=make.ACTOR, at=make.AT)
    assert invoice.lines.count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"amount": "1e16"}, "more than an invoice can hold"),
        ({"amount": "9999999999999999.00"}, "The invoice comes to"),  # 19 % more does not fit any more
        ({"amount": "1.00", "units": Decimal("1e25")}, "units: too many"),
        ({"amount": "1.00", "precise_amount": Decimal("-1e25")}, "too many"),
    ],
)
def test_figures_that_no_column_holds_are_refused_with_the_reason(values: dict[str, Any], words: str) -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))
    wanted = make.spec(
        customer, lines=(make.line(**{"precise_amount": Decimal(1), "unit_amount": Decimal(1), **values}),)
    )
    with pytest.raises(drafting.UnableToDraft, match=words) as refused:
        invoices.draft_many(specs=[wanted], actor=make.ACTOR, at=make.AT)
    assert refused.value.code == "value_is_out_of_range"
    assert not Invoice.objects.exists()
