"""One-off invoices: issued at once with taxes alone, booked, and previewed without a trace."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from catalog.models import AddOn, Tax
from config.kernel import errors, money
from config.platform.models import AuditEntry, NumberSequence
from customers.models import BillingEntity, Customer
from invoicing.domain.facts import InvoiceFinalized, InvoicePaid
from invoicing.models import Invoice, InvoiceLine, LedgerPosting
from invoicing.services import one_off_invoices
from invoicing.services.one_off_invoices import OneOff, OneOffFee
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return make.make_entity(taxes=[make.make_tax()], net_payment_term=14, invoice_grace_period=3)


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return make.make_customer(entity, currency="EUR")


def add_on(code: str = "setup", price: str = "100.00", currency: str = "EUR", taxes: tuple[Tax, ...] = ()) -> AddOn:
    row = AddOn.objects.create(code=code, name=code.title(), currency=currency, amount=Money(price, currency))
    row.taxes.set(taxes)
    return row


def create(*fees: OneOffFee, **values: Any) -> Invoice:
    wanted = OneOff(external_customer_id=values.pop("external_customer_id", "c1"), fees=fees, **values)
    return one_off_invoices.create(wanted=wanted, actor=make.ACTOR, at=make.AT)


def test_it_is_issued_at_once_and_taxes_follow_their_order(
    customer: Customer, heard: list[object], commit_checks: Callable[[], None]
) -> None:
    seven, five = make.make_tax("vat7", "0.07"), make.make_tax("vat5", "0.05")
    add_on("book", "10.00", taxes=(seven,))
    add_on("setup", "100.00")

    invoice = create(
        OneOffFee("setup"),  # the seller's 19 %: 19.00
        OneOffFee("book", units=Decimal(3)),  # its own 7 % of 30.00: 2.10
        OneOffFee("book", unit_amount=Decimal("20.00"), tax_codes=("vat5", "vat7")),  # 12 % of 20.00: 2.40
    )
    commit_checks()

    assert (invoice.kind, invoice.status, invoice.number) == ("one_off", "finalized", "ACME-001-001")
    assert (invoice.fees_amount, invoice.taxes_amount) == (Money("150.00", "EUR"), Money("23.50", "EUR"))
    assert invoice.total_amount == Money("173.50", "EUR")
    assert (invoice.issuing_date, invoice.payment_due_date) == (make.AT.date(), make.AT.date().replace(day=15))
    lines = InvoiceLine.objects.filter(invoice=invoice)
    assert [(line.kind, line.taxes_amount.amount) for line in lines] == [
        ("add_on", Decimal("19.00")),
        ("add_on", Decimal("2.10")),
        ("add_on", Decimal("2.40")),
    ]
    assert five.pk in {row.tax_id for row in lines[2].applied_taxes.all()}
    assert heard == [InvoiceFinalized(invoice_id=invoice.pk)]
    booked = {row.account.role: row.amount.amount for row in LedgerPosting.objects.select_related("account")}
    assert booked == {"receivable": Decimal("173.50"), "revenue": Decimal("-150.00"), "tax": Decimal("-23.50")}


def test_the_customers_taxes_come_before_the_sellers(entity: BillingEntity) -> None:
    make.make_customer(entity, "c2", taxes=[make.make_tax("vat0", "0")], currency="EUR")
    add_on()

    invoice = create(OneOffFee("setup"), external_customer_id="c2", net_payment_term=30)

    assert invoice.taxes_amount == money.zero("EUR")
    assert (invoice.payment_due_date - invoice.issuing_date).days == 30


def test_credit_of_the_customer_does_not_pay_it(customer: Customer) -> None:
    from_other = make.issue(customer, "100.00")
    add_on()

    invoice = create(OneOffFee("setup"), purchase_order_number="PO 7", skip_automatic_payment=True)

    assert (invoice.credit_notes_amount, invoice.prepaid_credit_amount) == (money.zero("EUR"), money.zero("EUR"))
    assert (invoice.purchase_order_number, invoice.skip_automatic_payment) == ("PO 7", True)
    assert invoice.number == "ACME-001-002"
    assert from_other.number == "ACME-001-001"


def test_the_first_invoice_decides_the_currency(entity: BillingEntity) -> None:
    customer = make.make_customer(entity, "c3")
    add_on(currency="JPY", price="100")

    invoice = create(OneOffFee("setup", units=Decimal("1.5")), external_customer_id="c3", currency="JPY")

    customer.refresh_from_db()
    assert customer.currency == "JPY"
    entry = AuditEntry.objects.get(object_type="customers.customer", object_id=customer.pk, verb="update")
    assert (entry.actor_label, entry.old, entry.new) == (make.ACTOR.label, {"currency": ""}, {"currency": "JPY"})
    assert invoice.total_amount == Money("179", "JPY")  # 150 + 28.5, half up


def test_another_seller_may_issue_it(customer: Customer) -> None:
    other = make.make_entity("globex", timezone="Asia/Tokyo")
    add_on()

    invoice = create(OneOffFee("setup"), billing_entity_code="globex")

    assert (invoice.billing_entity, invoice.timezone) == (other, "Asia/Tokyo")
    assert (invoice.number, invoice.taxes_amount.amount) == ("GLOBEX-001-001", 0)


def test_one_of_nothing_is_issued_paid_or_closed(customer: Customer, heard: list[object]) -> None:
    add_on(price="0")
    issued = create(OneOffFee("setup"))
    Customer.objects.filter(pk=customer.pk).update(finalize_zero_amount_invoice="skip")

    closed = create(OneOffFee("setup"))

    assert (issued.status, issued.payment_status) == ("finalized", "succeeded")
    assert (closed.status, closed.number) == ("closed", None)
    assert heard == [InvoiceFinalized(invoice_id=issued.pk), InvoicePaid(invoice_id=issued.pk)]


@pytest.mark.parametrize(
    ("fees", "values", "error", "code"),
    [
        ((), {}, errors.NotFound, "fees_not_found"),
        ((OneOffFee("gone"),), {}, errors.NotFound, "add_on_not_found"),
        ((OneOffFee("setup", tax_codes=("gone",)),), {}, errors.NotFound, "tax_not_found"),
        ((OneOffFee("setup"),), {"external_customer_id": "gone"}, errors.NotFound, "customer_not_found"),
        ((OneOffFee("setup"),), {"billing_entity_code": "gone"}, errors.NotFound, "billing_entity_not_found"),
        ((OneOffFee("setup"),), {"currency": "USD"}, errors.Invalid, "currencies_does_not_match"),
        ((OneOffFee("setup"),), {"currency": "XXX"}, errors.Invalid, "invalid_currency"),
        ((OneOffFee("setup"),), {"net_payment_term": 9999}, errors.Invalid, "value_is_out_of_range"),
        (
            (OneOffFee("setup"),),
            {"custom_section_codes": ["gone"]},
            errors.NotFound,
            "invoice_custom_section_not_found",
        ),
        ((OneOffFee("setup", units=Decimal(10) ** 24),), {}, errors.Invalid, "value_is_out_of_range"),
    ],
)
def test_what_does_not_fit_makes_nothing(
    customer: Customer, fees: tuple[OneOffFee, ...], values: dict[str, Any], error: type[Exception], code: str
) -> None:
    add_on()

    with pytest.raises(error) as refusal:
        create(*fees, **values)

    assert refusal.value.code == code  # type: ignore[attr-defined]
    assert not Invoice.objects.exists()


def test_a_preview_leaves_no_trace(customer: Customer) -> None:
    add_on()
    wanted = OneOff(external_customer_id="c1", fees=[OneOffFee("setup", units=Decimal(2))])

    drafted = one_off_invoices.preview(wanted=wanted, actor=make.ACTOR, at=make.AT)

    assert drafted.invoice.total_amount == Money("238.00", "EUR")
    assert [line.amount.amount for line in drafted.lines] == [Decimal("200.00")]
    assert not Invoice.objects.exists()
    assert not NumberSequence.objects.filter(scope__startswith="invoice:").exists()
