"""The answers, read by the models of the official Python client: nothing that it requires is missing or null."""

from typing import Any

from lago_python_client.models.fee import FeeResponse
from lago_python_client.models.invoice import InvoiceResponse
from lago_python_client.models.payment import PaymentResponse

from customers.models import Customer
from invoicing.services import documents
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


def test_invoices_fees_and_payments_are_read(api: ApiClient, customer: Customer) -> None:
    issued, draft = make.issue(customer, "100.00"), make.draft(customer, "1.00").invoice
    documents.render(invoice_id=issued.pk, at=make.AT)
    body = {"payment": {"invoice_id": str(issued.uuid), "amount_cents": 1900, "reference": "wire"}}

    paid = PaymentResponse.parse_obj(api.call("post", "payments", body).json()["payment"])
    found = InvoiceResponse.parse_obj(api.read(f"invoices/{issued.uuid}").json()["invoice"])
    listed: list[Any] = [InvoiceResponse.parse_obj(row) for row in api.read("invoices").json()["invoices"]]
    fee = FeeResponse.parse_obj(api.read("fees").json()["fees"][0])

    assert (paid.amount_cents, paid.reference, paid.invoice_numbers) == (1900, "wire", ["ACME-001-001"])
    assert (found.number, found.total_due_amount_cents, found.customer.external_id) == ("ACME-001-001", 10000, "c1")
    assert [row.amount_cents for row in found.fees.__root__] == [10000]
    assert found.file_url
    assert found.file_url.startswith("http")
    assert {row.lago_id: row.number for row in listed} == {
        str(issued.uuid): "ACME-001-001",
        str(draft.uuid): "ACME-DRAFT",
    }
    assert (fee.amount_cents, fee.item.code) == (10000, "requests")
