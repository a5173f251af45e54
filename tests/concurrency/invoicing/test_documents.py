"""Documents and e-mails at once: one document for each invoice, one mail for each delivery."""

from functools import partial
from unittest import mock

import pytest
from django.core import mail

from config.kernel import actors
from invoicing.models import Delivery, Document, Invoice
from invoicing.services import deliveries, document_pdf, documents
from tests.concurrency import threads
from tests.factories import documents as factory
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice() -> Invoice:
    return factory.finalized(factory.buyer(factory.seller()), [LineRow("Fee", "100.00")])


def test_renderers_at_once_leave_one_document(invoice: Invoice) -> None:
    with mock.patch.object(document_pdf, "write", wraps=document_pdf.write) as write:
        made = threads.together([partial(documents.render, invoice_id=invoice.pk, at=factory.AT)] * 4)
    assert write.call_count > 1  # they did meet
    assert {document.pk for document in made} == {Document.objects.get().pk}
    assert documents.content(document=made[0]).startswith(b"%PDF-")


def test_senders_at_once_send_one_mail(invoice: Invoice) -> None:
    (delivery,) = deliveries.request(invoice_ids=[invoice.pk], actor=actors.SYSTEM, at=factory.AT)
    documents.render(invoice_id=invoice.pk, at=factory.AT)
    one = partial(deliveries.send, delivery_id=delivery.pk, at=factory.AT)
    sweep = partial(deliveries.send_pending, as_of=factory.AT)
    results = threads.together([one, sweep, one, sweep, one, sweep])
    assert [result for result in results if isinstance(result, Exception)] == []
    assert len(mail.outbox) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (Delivery.State.SENT, 1)


def test_sweeps_at_once_share_the_work() -> None:
    customer = factory.buyer(factory.seller())
    invoices = [factory.finalized(customer, [LineRow("Fee", "100.00")], number=f"NOR-{number}") for number in range(6)]
    deliveries.request(invoice_ids=[invoice.pk for invoice in invoices], actor=actors.SYSTEM, at=factory.AT)
    swept = threads.together([partial(deliveries.send_pending, as_of=factory.AT)] * 3)
    sent = [pk for sweep in swept for pk in sweep.sent]
    assert len(sent) == len(set(sent)) == len(mail.outbox) == 6


def test_requests_at_once_are_one_mail(invoice: Invoice) -> None:
    ask = partial(deliveries.request, invoice_ids=[invoice.pk], actor=actors.SYSTEM, at=factory.AT)
    created = threads.together([ask] * 4)
    assert sorted(len(rows) for rows in created) == [0, 0, 0, 1]
    assert Delivery.objects.count() == 1


def test_sending_again_at_once_numbers_each(invoice: Invoice) -> None:
    ask = partial(deliveries.request, invoice_ids=[invoice.pk], actor=actors.SYSTEM, at=factory.AT, force=True)
    created = threads.together([ask] * 4)
    assert sorted(rows[0].number for rows in created) == [1, 2, 3, 4]
