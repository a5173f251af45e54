"""What webhooks are told of usage in advance: fees that are gathered once they are paid, and an engine that refuses."""

from __future__ import annotations

from typing import Any

import pytest

from billing.services import advance_invoices
from config.kernel import jobs
from customers.models import Customer
from invoicing.models import InvoiceLine, PaymentReceipt
from invoicing.services import standalone_lines, tax_calculations, tax_engines
from tests.factories import advance, billing, catalog, peers, usage
from tests.factories import invoicing as make
from tests.factories.told import Told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "enqueue", lambda *_, **__: None)


def use(**terms: Any) -> None:
    metric = catalog.make_metric("seats", "sum_agg")
    advance.make_subscription(advance.make_plan(metric, cents=0, **terms))
    usage.store(usage.make_event("2026-05-04T12:00:00", code="seats", properties={"seats": 2}))


def test_fees_that_were_paid_are_told_as_one_paid_invoice() -> None:
    use(regroup_paid_fees="invoice")
    told = Told()
    advance.bill("2026-05-04T13:00")
    line = InvoiceLine.objects.get()
    standalone_lines.set_payment_status(
        line_id=line.pk, payment_status="succeeded", actor=make.ACTOR, at=billing.instant("2026-05-10")
    )
    assert [event[0] for event in told.events()] == ["fee.created"]

    for hour in (1, 2):
        advance_invoices.gather(as_of=billing.instant(f"2026-06-01T0{hour}:00"))

    created, paid = told.bodies()
    assert (created["webhook_type"], paid["webhook_type"]) == ("invoice.created", "payment.succeeded")
    invoice = created["invoice"]
    assert (invoice["invoice_type"], invoice["payment_status"]) == ("advance_charges", "succeeded")
    assert [fee["event_transaction_id"] for fee in invoice["fees"]] == [line.event_transaction_id]
    assert (paid["payment"]["invoice_ids"], paid["payment"]["payment_receipt"]) == ([invoice["lago_id"]], None)
    assert not PaymentReceipt.objects.exists()  # no money came in then


def test_an_engine_that_refuses_a_fee_in_advance_is_told_of_the_fee_too() -> None:
    use(invoiceable=True)
    entity = Customer.objects.get().billing_entity
    with peers.serve(lambda *_: (422, {"error": "no such place"})) as peer:
        values: Any = {"billing_entity_code": entity.code, "code": "engine", "url": peer.url, "token": "secret"}
        tax_engines.create(values=values, actor=make.ACTOR, at=make.AT)
        advance.bill("2026-05-04T13:00")
        told = Told()
        tax_calculations.run(as_of=billing.instant("2026-05-04T13:01"))
        tax_calculations.run(as_of=billing.instant("2026-05-04T13:02"))

    customer, fee = told.bodies()
    line = InvoiceLine.objects.get()
    assert (customer["webhook_type"], fee["webhook_type"]) == ("customer.tax_provider_error", "fee.tax_provider_error")
    error = fee["tax_provider_fee_error"]
    assert (error["lago_fee_id"], error["event_transaction_id"]) == (str(line.uuid), line.event_transaction_id)
    shared = ("lago_invoice_id", "tax_provider_code", "provider_error")
    assert {key: error[key] for key in shared} == {key: customer["tax_provider_customer_error"][key] for key in shared}
