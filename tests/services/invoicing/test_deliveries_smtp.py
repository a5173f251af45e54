"""Invoices handed over to a real mail server, which the test starts: what arrives, and that it arrives once."""

import email
import email.policy
import hashlib
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from config.kernel import actors
from invoicing.models import Delivery, Document
from invoicing.services import deliveries
from tests.factories import documents as factory
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db

AT = factory.AT


class Inbox:
    """Keeps what arrives; answers with an error as long as `refusals` lasts."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.refusals: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        self.envelopes.append(envelope)
        return "250 OK"

    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(each.content or b"", policy=email.policy.default) for each in self.envelopes]


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    """A mail server of its own that the installation is told to use."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    handler = Inbox()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield handler
    server.stop()


@pytest.fixture
def delivery() -> Delivery:
    customer = factory.buyer(factory.seller(), email="ap@customer.example, cfo@customer.example")
    invoice = factory.finalized(customer, [LineRow("Fee", "100.00", unit_amount="100")])
    (row,) = deliveries.request(invoice_ids=[invoice.pk], actor=actors.SYSTEM, at=AT)
    return row


def test_what_arrives_is_the_document_that_was_stored(inbox: Inbox, delivery: Delivery) -> None:
    assert deliveries.send(delivery_id=delivery.pk, at=AT).state == Delivery.State.SENT
    (envelope,) = inbox.envelopes
    (message,) = inbox.messages()
    assert envelope.rcpt_tos == ["ap@customer.example", "cfo@customer.example"]
    assert envelope.mail_from == "billing@localhost"
    assert message["Reply-To"] == "rechnung@nordlicht.example"
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "NOR-202606-001.pdf"
    digest = hashlib.sha256(attachment.get_content()).hexdigest()
    assert digest == Document.objects.get().sha256


def test_a_server_that_refuses_at_first_gets_exactly_one_mail(inbox: Inbox, delivery: Delivery) -> None:
    inbox.refusals = ["451 try again later"]
    failed = deliveries.send(delivery_id=delivery.pk, at=AT)
    assert failed.state == Delivery.State.PENDING
    assert "try again later" in failed.error
    assert deliveries.send_pending(as_of=AT) == deliveries.Sweep()
    at = AT + timedelta(minutes=1)
    assert deliveries.send_pending(as_of=at).sent == (delivery.pk,)
    assert deliveries.send_pending(as_of=at + timedelta(days=1)) == deliveries.Sweep()
    (message,) = inbox.messages()
    assert message["Message-ID"] == Delivery.objects.get().message_id


def test_a_server_that_is_gone_is_an_attempt(inbox: Inbox, delivery: Delivery, settings: Any) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = nobody.getsockname()[1]  # bound, but nobody listens
        failed = deliveries.send(delivery_id=delivery.pk, at=AT)
    assert failed.error.startswith("ConnectionRefusedError")
    assert inbox.envelopes == []
