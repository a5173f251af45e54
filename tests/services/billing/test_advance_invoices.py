"""Gathering paid fees of usage in advance on one invoice: which, when, once, and without booking anything twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.models import Subscription
from billing.services import advance_invoices, terminations
from customers.models import BillingEntity
from invoicing.admin.filters import PaymentFilter
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import delivery_mail, document_pages, document_views, standalone_lines
from tests.factories import advance, billing, catalog, usage
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fees() -> None:
    """Three fees of 3, 6 and 9 in May, with 20 % tax."""
    tax = catalog.make_tax("vat", "0.20")
    metric = catalog.make_metric("seats", "sum_agg")
    version = advance.make_plan(metric, cents=1000, regroup_paid_fees="invoice")
    version.charges.get().taxes.add(tax)
    advance.make_subscription(version)
    for units in (1, 2, 3):
        usage.store(usage.make_event("2026-05-04T12:00:00", code="seats", properties={"seats": units}))
    advance.bill("2026-05-04T13:00")


def pay(*positions: int, at: str = "2026-05-10T10:00") -> None:
    lines = list(InvoiceLine.objects.filter(invoice=None).order_by("pk"))
    for position in positions:
        standalone_lines.set_payment_status(
            line_id=lines[position].pk, payment_status="succeeded", actor=ACTOR, at=billing.instant(at)
        )


def gather(at: str) -> int:
    found = advance_invoices.gather(as_of=billing.instant(at))
    assert not found.failed
    return found.invoices


def test_paid_fees_of_an_ended_period_are_one_invoice_that_is_paid() -> None:
    pay(0, 2)
    before = advance.balances()
    assert gather("2026-05-20T00:00") == 0  # the period runs
    assert gather("2026-06-01T01:00") == 1
    invoice = Invoice.objects.get()
    assert (invoice.kind, invoice.status, invoice.payment_status) == ("advance_charges", "finalized", "succeeded")
    # 3 + 9, the taxes 0.60 + 1.80.
    assert [invoice.fees_amount.amount, invoice.taxes_amount.amount, invoice.paid_amount.amount] == [
        Decimal(12),
        Decimal("2.4"),
        Decimal("14.4"),
    ]
    assert [(row.tax_code, row.base_amount.amount) for row in invoice.applied_taxes.all()] == [("vat", 12)]
    assert list(invoice.lines.values_list("position", flat=True)) == [1, 2]
    assert InvoiceLine.objects.filter(invoice=None).count() == 1
    assert advance.balances() == before == {"cash": "14.4", "receivable": "7.2", "revenue": "-18", "tax": "-3.6"}
    assert gather("2026-06-01T02:00") == 0


def test_what_is_paid_later_waits_for_the_next_billing_day() -> None:
    pay(0)
    assert gather("2026-06-01T01:00") == 1
    pay(0, at="2026-06-10T10:00")
    assert gather("2026-06-10T11:00") == 0
    assert gather("2026-07-01T01:00") == 1


def test_an_ended_subscription_does_not_wait() -> None:
    pay(0, 1, 2)
    terminations.terminate(
        subscription_id=Subscription.objects.get().pk, actor=ACTOR, at=billing.instant("2026-05-15T10:00")
    )
    assert gather("2026-05-15T10:00") == 1
    assert Invoice.objects.filter(kind="advance_charges").get().lines.count() == 3


def test_unpaid_refunded_and_deleted_fees_are_left_alone() -> None:
    pay(0)
    lines = list(InvoiceLine.objects.order_by("pk"))
    standalone_lines.set_payment_status(
        line_id=lines[0].pk, payment_status="refunded", actor=ACTOR, at=billing.instant("2026-05-11")
    )
    standalone_lines.delete(line_id=lines[1].pk, actor=ACTOR, at=billing.instant("2026-05-11"))
    assert gather("2026-06-01T01:00") == 0
    # Only the last fee of 9 and its tax are owed; the refund is as if it had never been.
    assert advance.balances() == {"receivable": "10.8", "revenue": "-9", "tax": "-1.8"}


@pytest.mark.parametrize(
    ("locale", "paid", "subject", "body"),
    [
        ("en", "Paid", "from Acme Ltd: paid", "This invoice is already paid. There is nothing to pay."),
        ("de", "Bezahlt", "von Acme Ltd: bezahlt", "Diese Rechnung ist bereits bezahlt. Es ist kein Betrag zu zahlen."),
    ],
)
def test_their_invoice_says_that_it_is_paid_and_asks_for_nothing(
    locale: str, paid: str, subject: str, body: str
) -> None:
    BillingEntity.objects.update(
        name="Acme Ltd", iban="DE89370400440532013000", document_locale=locale, net_payment_term=14
    )
    pay(0, 2)
    assert gather("2026-06-01T01:00") == 1
    view = document_views.of(invoice=document_views.read(invoice_id=Invoice.objects.get().pk))
    assert (view.is_nothing_due, view.is_paid, view.payment) == (True, True, ())
    amounts = {"en": ("€14.40", "-€14.40", "€0.00"), "de": ("14,40 €", "-14,40 €", "0,00 €")}[locale]
    [received] = view.credits
    assert received.label == paid
    assert tuple(text.replace("\u00a0", " ") for text in (view.total, received.value, view.amount_due)) == amounts
    page = document_pages.html(view=view)
    assert f'<span class="when">{paid}</span>' in page
    mail = delivery_mail.message(
        view=view,
        recipients=["a@customer.example"],
        reply_to="",
        message_id="<unique@localhost>",
        attachment=("invoice.pdf", b"%PDF"),
        at=billing.instant("2026-06-01T01:00"),
    )
    html = str(mail.alternatives[0][0])
    assert mail.subject.endswith(subject)
    assert body in mail.body
    assert body in html
    for text in (page, mail.subject, mail.body, html):
        for word in (
            "due on",
            "Please pay",
            "Bitte zahlen",
            "ällig",
            "DE89",
            view.due_on,
            "How to pay",
            "bezahlen Sie",
        ):
            assert word not in text


def test_a_fee_of_zero_waits_for_no_payment_and_is_on_no_invoice() -> None:
    # A sum that falls bills nothing: 1 + 2 + 3 − 1 is below what was paid for.
    usage.store(usage.make_event("2026-05-05T12:00:00", code="seats", properties={"seats": -1}))
    advance.bill("2026-05-05T13:00")
    free = InvoiceLine.objects.latest("pk")
    assert (free.amount.amount, free.payment_status) == (0, "pending")
    rows = InvoiceLine.objects.filter(invoice=None)
    [narrowed] = [narrow for key, _, narrow in PaymentFilter.options if key == "pending"]
    assert list(narrowed(rows).order_by("pk")) == list(rows.exclude(pk=free.pk).order_by("pk"))
    assert rows.count() == 4
    pay(0, 1, 2)
    assert gather("2026-06-01T01:00") == 1
    assert Invoice.objects.get().lines.count() == 3
