"""Accounts and their mapping as data: what is posted where, in as many statements as before, and what is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from customers.models import BillingEntity
from invoicing.domain.accounts import Rule
from invoicing.domain.ledger import Dimensions
from invoicing.models import Invoice, InvoiceLine, LedgerAccount, LedgerEntry, LedgerMapping
from invoicing.queries import ledger
from invoicing.services import accounts, credit_notes, invoices, payments
from invoicing.services.accounts import AccountValues
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

CHART = {"1000", "1200", "1210", "2100", "2110", "2120", "2200", "4000", "4100", "6000"}


def add(entity: BillingEntity, code: str, role: str, **narrowed: str) -> LedgerAccount:
    """Open an account of a role's type and map postings to it."""
    usual = {"revenue": "revenue", "tax": "liability", "cash": "asset", "receivable": "asset"}[role]
    account = accounts.create(
        billing_entity_id=entity.pk,
        values=AccountValues(code=code, name=f"Account {code}", type=usual, role=role),
        actor=make.ACTOR,
        at=make.AT,
    )
    values = Rule(account_id=account.pk, role=role, **narrowed)
    accounts.map_postings(billing_entity_id=entity.pk, values=values, actor=make.ACTOR, at=make.AT)
    return account


def posted(fact: str) -> dict[str, str]:
    """What stands on each account of the newest entry of a fact."""
    entry = LedgerEntry.objects.filter(fact=fact).latest("pk")
    return {row.account.code: str(row.amount.amount.normalize() + 0) for row in entry.postings.order_by("pk")}


def test_one_posting_for_each_role_unless_a_mapping_says_otherwise() -> None:
    entity = make.make_entity(taxes=[make.make_tax("vat20", "0.20")])
    invoice = make.issue(make.make_customer(entity), "10.00", "20.00", "30.00")

    assert posted("invoice_finalized") == {"1200": "72", "4000": "-60", "2200": "-12"}
    assert set(LedgerAccount.objects.values_list("code", flat=True)) == CHART
    receivable = LedgerEntry.objects.get().postings.get(account__role="receivable")
    assert receivable.invoice_id == invoice.pk
    assert not LedgerEntry.objects.get().postings.exclude(account__role="receivable").filter(invoice=invoice).exists()


def test_revenue_by_item_tax_by_code_and_cash_by_payment() -> None:
    vat19, vat7 = make.make_tax(), make.make_tax("vat7", "0.07")
    entity = make.make_entity(taxes=[vat19])
    add(entity, "4010", "revenue", line_kind="subscription")
    add(entity, "4020", "revenue", item_code="books")
    add(entity, "2207", "tax", tax_code="vat7")
    add(entity, "1010", "cash", payment_kind="manual")
    lines = [
        make.line("50.00", kind="subscription", item_code="pro"),
        make.line("30.00"),
        make.line("20.00", item_code="books", tax_ids=(vat7.pk,)),
    ]
    invoice = make.issue(make.make_customer(entity), lines=lines)

    # 80 × 19 % = 15.20, 20 × 7 % = 1.40
    assert posted("invoice_finalized") == {
        "1200": "116.6",
        "4010": "-50",
        "4000": "-30",
        "4020": "-20",
        "2200": "-15.2",
        "2207": "-1.4",
    }
    payments.record(
        invoice_id=invoice.pk,
        amount=Money("16.60", "EUR"),
        reference="",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )
    assert posted("payment_received") == {"1010": "16.6", "1200": "-16.6"}
    line = InvoiceLine.objects.get(invoice=invoice, item_code="books")
    # 10.00 of the line of 20.00 is given back, with 7 % tax, as credit
    credit_notes.create(
        invoice_id=invoice.pk,
        amounts={line.pk: Money("10.00", "EUR")},
        credit=Money("10.70", "EUR"),
        refund=Money(0, "EUR"),
        offset=Money(0, "EUR"),
        reason="other",
        description="",
        actor=make.ACTOR,
        at=make.AT,
    )
    assert posted("credit_note_issued") == {"4020": "10", "2207": "0.7", "2100": "-10.7"}
    assert ledger.out_of_balance() == {}
    assert {row.role: row.amount.amount for row in ledger.balances() if row.role == "cash"} == {"cash": Decimal("16.6")}


def test_the_number_of_statements_does_not_follow_the_number_of_invoices() -> None:
    entity = make.make_entity(taxes=[make.make_tax()])
    customer = make.make_customer(entity)
    add(entity, "4010", "revenue", line_kind="subscription")
    make.issue(customer, "1.00")
    counts = []
    for count in (1, 6):
        ids = [make.draft(customer, "1.00", "2.00").invoice.pk for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            invoices.finalize_many(invoice_ids=ids, actor=make.ACTOR, at=make.AT)
        counts.append(len([one for one in captured.captured_queries if "invoicing_ledger" in one["sql"]]))
    assert counts[0] == counts[1] <= 4  # mappings, entries, postings


def test_where_a_posting_would_go() -> None:
    entity = make.make_entity()
    where = {"billing_entity_id": entity.pk, "role": "revenue", "currency": "EUR"}
    assert accounts.where(dimensions=Dimensions(), **where) is None
    accounts.open_chart(billing_entity_id=entity.pk, actor=make.ACTOR, at=make.AT)
    assert str(accounts.where(dimensions=Dimensions(), **where)) == "4000 Revenue"
    books = add(entity, "4020", "revenue", item_code="books")
    assert accounts.where(dimensions=Dimensions(item_code="books"), **where) == books
    accounts.unmap(mapping_id=LedgerMapping.objects.get(item_code="books").pk, actor=make.ACTOR, at=make.AT)
    assert str(accounts.where(dimensions=Dimensions(item_code="books"), **where)) == "4000 Revenue"


def test_opening_the_chart_twice_opens_it_once_and_spares_codes_that_are_taken() -> None:
    entity = make.make_entity()
    own = AccountValues(code="4000", name="Rent", type="expense")
    accounts.create(billing_entity_id=entity.pk, values=own, actor=make.ACTOR, at=make.AT)
    found = [accounts.open_chart(billing_entity_id=entity.pk, actor=make.ACTOR, at=make.AT) for _ in range(2)]
    assert found[0] == found[1]
    assert {one.code for one in found[0]} == {*CHART, "4000-revenue"}
    assert LedgerMapping.objects.count() == len(CHART)


def test_what_is_refused() -> None:
    entity = make.make_entity()
    make.issue(make.make_customer(entity), "10.00")
    revenue = LedgerAccount.objects.get(code="4000")
    tax = LedgerAccount.objects.get(code="2200")
    values = AccountValues(code="4000", name="Sales", type="revenue", role="revenue")

    def update(account: LedgerAccount, **changed: object) -> LedgerAccount:
        new = AccountValues(**{**values.__dict__, **changed})
        return accounts.update(account_id=account.pk, values=new, actor=make.ACTOR, at=make.AT)

    assert update(revenue).name == "Sales"
    for changed in ({"type": "liability"}, {"role": "tax"}, {"is_active": False}):
        with pytest.raises(accounts.AccountInUse):
            update(revenue, **changed)
    with pytest.raises(accounts.InvalidAccount):
        update(revenue, code="2200")
    for wrong in ({"code": " "}, {"name": ""}, {"type": "x"}, {"role": "x"}):
        with pytest.raises(accounts.InvalidAccount):
            update(revenue, **wrong)
    for account in (revenue, tax):
        with pytest.raises(accounts.AccountInUse):
            accounts.delete(account_id=account.pk, actor=make.ACTOR, at=make.AT)
    for mapping in (
        Rule(account_id=tax.pk, role="revenue"),
        Rule(account_id=0, role="revenue"),
        Rule(account_id=tax.pk, role="tax", item_code="books"),
        Rule(account_id=revenue.pk, role="revenue", line_kind="nonsense"),
        Rule(account_id=revenue.pk, role="revenue", currency="XXX"),
    ):
        with pytest.raises(accounts.InvalidAccount):
            accounts.map_postings(billing_entity_id=entity.pk, values=mapping, actor=make.ACTOR, at=make.AT)
    with pytest.raises(accounts.AccountInUse, match="whole role"):
        accounts.unmap(mapping_id=LedgerMapping.objects.get(role="tax").pk, actor=make.ACTOR, at=make.AT)
    with pytest.raises(IntegrityError, match="in use"), transaction.atomic():
        LedgerAccount.objects.filter(pk=revenue.pk).update(type="asset")
    assert Invoice.objects.count() == 1


def test_a_voided_invoice_takes_back_what_is_left_on_each_account() -> None:
    entity = make.make_entity(taxes=[make.make_tax("vat20", "0.20")])
    add(entity, "4010", "revenue", line_kind="subscription")
    lines = [make.line("50.00", kind="subscription", item_code="pro"), make.line("30.00")]
    invoice = make.issue(make.make_customer(entity), lines=lines)
    fee = InvoiceLine.objects.get(invoice=invoice, kind="subscription")
    credit_notes.create(
        invoice_id=invoice.pk, amounts={fee.pk: Money("50.00", "EUR")}, offset=Money("60.00", "EUR"), **GIVEN
    )
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)
    assert posted("invoice_voided") == {"4000": "30", "2200": "6", "1200": "-36"}
    assert not [row for row in ledger.balances() if row.amount]


GIVEN = {"reason": "other", "actor": make.ACTOR, "at": make.AT}
