"""E-mails of invoices: who gets one, when it is tried again, and that none is sent twice."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.models import AuditEntry
from invoicing.models import Delivery, Document, Invoice
from invoicing.services import deliveries, delivery_outcomes, documents
from tests.factories import documents as factory
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db

AT = factory.AT
ACTOR = Actor(kind="user", label="Ada")
LINES = [LineRow("Fee", "100.00", unit_amount="100")]


def an_invoice(*, email: str = "ap@customer.example", number: str = "NOR-1", **seller: Any) -> Invoice:
    code = f"seller-{number}"
    entity = factory.seller(code=code, **seller)
    return factory.finalized(factory.buyer(entity, email=email, external_id=number), LINES, number=number)


def requested(invoice: Invoice, **values: Any) -> list[Delivery]:
    return deliveries.request(invoice_ids=[invoice.pk], actor=ACTOR, at=AT, **values)


def a_delivery(**values: Any) -> Delivery:
    (delivery,) = requested(an_invoice(**values))
    return delivery


def failing(*outcomes: Exception | None) -> Any:
    """Let the hand-over fail or succeed in turn; what succeeds reaches the test's mailbox."""
    send = mail.EmailMessage.send
    turns = iter(outcomes)

    def attempt(message: mail.EmailMessage, fail_silently: bool = False) -> int:
        outcome = next(turns)
        if outcome is not None:
            raise outcome
        return int(send(message))

    return mock.patch.object(mail.EmailMessage, "send", attempt)


def test_a_request_is_a_row_that_waits() -> None:
    delivery = a_delivery(email="a@customer.example, b@customer.example")
    assert delivery.state == Delivery.State.PENDING
    assert delivery.number == 1
    assert delivery.recipients == ["a@customer.example", "b@customer.example"]
    assert delivery.next_attempt_at == delivery.created_at == AT
    assert mail.outbox == []
    entry = AuditEntry.objects.get(verb="email")
    assert entry.new == {"recipients": ["a@customer.example", "b@customer.example"]}
    assert entry.actor_label == "Ada"


def test_asking_twice_changes_nothing() -> None:
    invoice = an_invoice()
    assert len(requested(invoice)) == 1
    assert requested(invoice) == []
    assert Delivery.objects.count() == 1


def test_sending_again_is_another_row() -> None:
    invoice = an_invoice()
    requested(invoice)
    assert [delivery.number for delivery in requested(invoice, force=True)] == [2]
    assert [delivery.number for delivery in requested(invoice, force=True)] == [3]


def test_a_seller_that_does_not_e_mail_its_invoices() -> None:
    invoice = an_invoice(email_settings=[])
    assert requested(invoice) == []
    assert AuditEntry.objects.count() == 0
    assert len(requested(invoice, force=True)) == 1


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c"])
def test_a_customer_without_an_address_is_passed_over_and_that_is_noted(email: str) -> None:
    invoice = an_invoice(email=email)
    assert requested(invoice) == []
    assert Delivery.objects.count() == 0
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.object_id) == ("skip_email", invoice.pk)
    assert email in entry.reason
    with pytest.raises(deliveries.NoRecipient) as refused:
        requested(invoice, force=True)
    assert refused.value.code == "no_email_address"
    assert Delivery.objects.count() == 0


def test_an_address_that_is_none_is_left_out_and_that_is_noted() -> None:
    delivery = a_delivery(email="a@customer.example, nobody")
    assert delivery.recipients == ["a@customer.example"]
    assert "nobody" in AuditEntry.objects.get().reason


def test_only_issued_invoices_are_e_mailed() -> None:
    draft = factory.draft(factory.buyer(factory.seller()), LINES)
    assert requested(draft) == []
    with pytest.raises(deliveries.NotIssued):
        requested(draft, force=True)
    with pytest.raises(errors.NotFound):
        deliveries.request(invoice_ids=[0], actor=ACTOR, at=AT, force=True)
    assert Delivery.objects.count() == 0


def test_many_invoices_take_as_many_statements_as_one(django_assert_max_num_queries: Any) -> None:
    invoices = [an_invoice(number=f"NOR-{number}") for number in range(10)]
    with django_assert_max_num_queries(8):
        created = deliveries.request(invoice_ids=[invoice.pk for invoice in invoices], actor=ACTOR, at=AT)
    assert [delivery.invoice_id for delivery in created] == [invoice.pk for invoice in invoices]


def test_sending_renders_what_is_missing_and_attaches_it() -> None:
    delivery = a_delivery()
    assert Document.objects.count() == 0
    sent = deliveries.send(delivery_id=delivery.pk, at=AT)
    assert (sent.state, sent.sent_at, sent.attempts, sent.error) == (Delivery.State.SENT, AT, 1, "")
    assert sent.subject.startswith("Rechnung NOR-1 von Nordlicht Hosting")
    (message,) = mail.outbox
    assert message.to == ["ap@customer.example"]
    assert message.extra_headers["Message-ID"] == sent.message_id
    assert sent.message_id == f"<{sent.uuid.hex}@localhost>"
    name, content, kind = message.attachments[0]
    assert (name, kind) == ("NOR-1.pdf", "application/pdf")
    assert content == documents.content(document=Document.objects.get())


def test_a_sent_mail_is_not_sent_again() -> None:
    delivery = a_delivery()
    deliveries.send(delivery_id=delivery.pk, at=AT)
    again = deliveries.send(delivery_id=delivery.pk, at=AT + timedelta(days=1))
    assert (again.state, again.attempts, again.sent_at) == (Delivery.State.SENT, 1, AT)
    assert len(mail.outbox) == 1


def test_a_failure_is_written_down_and_tried_again() -> None:
    delivery = a_delivery()
    with failing(ConnectionRefusedError("no mail server"), None):
        failed = deliveries.send(delivery_id=delivery.pk, at=AT)
        assert (failed.state, failed.attempts) == (Delivery.State.PENDING, 1)
        assert failed.error == "ConnectionRefusedError: no mail server"
        assert failed.next_attempt_at == AT + timedelta(minutes=1)
        assert deliveries.send(delivery_id=delivery.pk, at=AT).attempts == 1  # too early
        sent = deliveries.send(delivery_id=delivery.pk, at=AT + timedelta(minutes=1))
    assert (sent.state, sent.attempts, sent.error) == (Delivery.State.SENT, 2, "")
    assert sent.message_id == failed.message_id
    assert len(mail.outbox) == 1


def test_the_fourth_failure_is_final() -> None:
    delivery = a_delivery()
    at = AT
    with failing(*[OSError("away")] * 4):
        for minutes in (1, 16, 81):
            deliveries.send(delivery_id=delivery.pk, at=at)
            at += timedelta(minutes=minutes)
        last = deliveries.send(delivery_id=delivery.pk, at=at)
    assert (last.state, last.attempts) == (Delivery.State.FAILED, 4)
    assert deliveries.send(delivery_id=delivery.pk, at=at + timedelta(days=9)).state == Delivery.State.FAILED
    assert mail.outbox == []


def test_a_document_that_was_changed_is_not_sent() -> None:
    delivery = a_delivery()
    documents.render(invoice_id=delivery.invoice_id, at=AT)
    with mock.patch.object(documents, "content", side_effect=documents.DamagedDocument("document_damaged", "Changed.")):
        failed = deliveries.send(delivery_id=delivery.pk, at=AT)
    assert failed.error == "DamagedDocument: Changed."
    assert mail.outbox == []


def test_a_process_that_dies_leaves_the_claim_until_it_runs_out() -> None:
    delivery = a_delivery()
    with mock.patch.object(delivery_outcomes, "succeeded", side_effect=SystemExit), pytest.raises(SystemExit):
        deliveries.send(delivery_id=delivery.pk, at=AT)
    assert len(mail.outbox) == 1  # it went out, and nobody wrote it down
    assert deliveries.send(delivery_id=delivery.pk, at=AT + timedelta(minutes=59)).state == Delivery.State.PENDING
    assert len(mail.outbox) == 1
    assert deliveries.send(delivery_id=delivery.pk, at=AT + timedelta(hours=1)).state == Delivery.State.SENT
    first, second = (message.extra_headers["Message-ID"] for message in mail.outbox)
    assert first == second


def test_a_mail_whose_processes_always_die_is_given_up() -> None:
    delivery = a_delivery()
    Delivery.objects.filter(pk=delivery.pk).update(attempts=4)
    given_up = deliveries.send(delivery_id=delivery.pk, at=AT)
    assert given_up.state == Delivery.State.FAILED
    assert "may have been sent" in given_up.error
    assert mail.outbox == []


def test_an_unknown_delivery_is_not_found() -> None:
    with pytest.raises(errors.NotFound) as refused:
        deliveries.send(delivery_id=0, at=AT)
    assert refused.value.code == "delivery_not_found"


def test_a_sweep_sends_what_is_due() -> None:
    due, also_due, later = (a_delivery(number=f"NOR-{number}") for number in range(3))
    Delivery.objects.filter(pk=later.pk).update(next_attempt_at=AT + timedelta(minutes=1))
    assert deliveries.send_pending(as_of=AT, limit=1) == deliveries.Sweep(sent=(due.pk,))
    assert deliveries.send_pending(as_of=AT) == deliveries.Sweep(sent=(also_due.pk,))
    assert deliveries.send_pending(as_of=AT) == deliveries.Sweep()
    assert len(mail.outbox) == 2


def test_one_mail_that_fails_does_not_stop_the_others() -> None:
    rows = [a_delivery(number=f"NOR-{number}") for number in range(3)]
    with failing(None, OSError("refused"), None):
        swept = deliveries.send_pending(as_of=AT)
    assert swept == deliveries.Sweep(sent=(rows[0].pk, rows[2].pk), failed=(rows[1].pk,))


def test_a_sweep_ends_when_the_mail_server_is_away() -> None:
    rows = [a_delivery(number=f"NOR-{number}") for number in range(deliveries.UNREACHABLE + 2)]
    with failing(*[ConnectionRefusedError("away")] * deliveries.UNREACHABLE):
        swept = deliveries.send_pending(as_of=AT)
    assert len(swept.failed) == deliveries.UNREACHABLE
    assert list(Delivery.objects.filter(attempts=0).order_by("pk").values_list("pk", flat=True)) == [
        row.pk for row in rows[-2:]
    ]


def test_what_a_mail_server_answers_is_on_the_row_and_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    [delivery] = deliveries.request(invoice_ids=[an_invoice().pk], actor=ACTOR, at=AT, force=True)
    with mock.patch.object(mail.EmailMessage, "send", side_effect=OSError("550 ap@customer.example unknown")):
        deliveries.send(delivery_id=delivery.pk, at=AT)
    assert "ap@customer.example" in Delivery.objects.get(pk=delivery.pk).error
    assert "OSError" in caplog.text
    assert "ap@customer.example" not in caplog.text
