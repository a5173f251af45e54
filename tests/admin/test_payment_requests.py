"""Asking for overdue invoices in the admin, recording the payment of all, and the receipt on the payment's page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from customers.models import Customer
from invoicing.models import Delivery, Document, Invoice, Payment, PaymentRequest
from invoicing.services import overdue
from tests.admin.conftest import NOW, Company
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def late(company: Company) -> list[Invoice]:
    """Two overdue invoices of a customer of its own."""
    customer = make.make_customer(company.customers[0].billing_entity, "late", email="late@example.com")
    for days in (90, 80):
        make.issue(customer, "100.00", at=NOW - timedelta(days=days))
    overdue.mark(as_of=NOW)
    return list(Invoice.objects.filter(customer=customer).order_by("pk"))


def test_overdue_invoices_are_asked_for_paid_and_receipted(
    finance: Client, auditor: Client, late: list[Invoice]
) -> None:
    first, second = late
    ask = f"/admin/invoicing/invoice/{first.pk}/ask/"
    assert auditor.get(ask).status_code == 403
    page = finance.get(ask).content.decode()
    assert first.number in page
    assert second.number in page
    assert not PaymentRequest.objects.exists()  # looking asks nobody
    chosen = {
        "_do": "1",
        "once": "5f0c7f6e-5d3a-4c43-9d3c-3d1f0e6f2c11",
        "lago_invoice_ids": [str(first.uuid), str(second.uuid)],
        "email": "",
    }
    finance.post(ask, chosen)
    finance.post(ask, chosen)  # the button was pressed twice
    request = PaymentRequest.objects.get()
    assert Delivery.objects.get(payment_request=request).recipients == ["late@example.com"]
    address = f"/admin/invoicing/paymentrequest/{request.pk}"
    assert first.number in finance.get(f"{address}/change/").content.decode()

    paid = {"_do": "1", "amount": str(request.amount.amount), "paid_on": "2026-05-19", "reference": "wire"}
    finance.post(f"{address}/pay/", paid)
    request.refresh_from_db()
    assert request.payment_status == "succeeded"
    payment = Payment.objects.get(payment_request=request)
    shown = finance.get(f"/admin/invoicing/payment/{payment.pk}/change/").content.decode()
    assert payment.receipt.number in shown
    file = finance.get(f"/admin/invoicing/payment/{payment.pk}/receipt/?download=1")
    assert (file["Content-Type"], file.content[:5]) == ("application/pdf", b"%PDF-")
    assert not Document.objects.filter(payment_receipt=payment.receipt).exists()  # looking stores nothing
    finance.post(f"/admin/invoicing/payment/{payment.pk}/send_receipt/", {"_do": "1"})
    assert Delivery.objects.get(payment_receipt=payment.receipt).recipients == ["late@example.com"]
    again = finance.post(f"{address}/send/", {"_do": "1"}, follow=True).content.decode()
    assert "Nothing of it is due any more" in again
    assert Delivery.objects.filter(payment_request=request).count() == 1


def test_the_page_of_a_customer_leads_to_it(finance: Client, late: list[Invoice]) -> None:
    customer = Customer.objects.get(external_id="late")
    page = finance.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    assert "Ask for payment" in page
