"""E-mails of quotes on a real mail server: what arrives, that its link works, that none is lost and none comes late."""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.contrib.auth.models import User

from billing.models import OrderForm, QuoteDelivery
from billing.services import order_forms, quote_deliveries, quote_mail, quote_secrets
from billing.services.order_forms import Sent
from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.services import document_pdf
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db

AT = instant("2026-01-02")
END = instant("2026-02-01")  # valid until 31 January, where the customer is


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
    settings.PUBLIC_URL = "https://billing.example.com"
    yield handler
    server.stop()


@pytest.fixture(autouse=True)
def _no_printer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print nothing: how a document looks is tested elsewhere, and takes a second each."""
    monkeypatch.setattr(document_pdf, "write", lambda *, html: b"%PDF-" + html.encode())


@pytest.fixture
def customer() -> Customer:
    entity = parties.make_entity(name="Nordlicht", country="DE", email="sales@nordlicht.example", timezone="UTC")
    return parties.make_customer(entity, name="Musterbau AG", country="DE", document_locale="de")


@pytest.fixture
def sam() -> User:
    user = made.person("sam")
    user.first_name, user.last_name = "Sam", "Sölle"
    user.save()
    return user


@pytest.fixture
def form(customer: Customer, sam: User) -> OrderForm:
    quote = made.draft(customer, made.terms(goods.make_plan(cents=100000).plan.code), by=sam)
    return OrderForm.objects.get(version=made.submit(quote, by=sam))


def send(form: OrderForm, sam: User, message: str = "", *, to: str = "cfo@musterbau.example") -> Sent:
    return order_forms.send(order_form_id=form.pk, to=[to], message=message, actor=made.actor(sam), at=AT)


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_what_arrives_is_the_stored_document_with_a_link_that_works(inbox: Inbox, form: OrderForm, sam: User) -> None:
    sent = send(form, sam, "Guten Tag Frau Muster,\n\nwie besprochen.")

    assert quote_deliveries.run(as_of=AT).sent == (QuoteDelivery.objects.get().pk,)

    (envelope,) = inbox.envelopes
    (message,) = inbox.messages()
    assert envelope.rcpt_tos == ["cfo@musterbau.example"]
    assert message["Subject"] == "Angebot QT-2026-0001 von Nordlicht: Platform"
    assert message["From"] == '"Sam Sölle, Nordlicht" <billing@localhost>'
    assert message["Reply-To"] == "sam@example.com"
    (attachment,) = message.iter_attachments()
    form.refresh_from_db()
    assert attachment.get_filename() == "OF-2026-0001.pdf"
    assert hashlib.sha256(attachment.get_content()).hexdigest() == form.sha256
    told = body(message)
    assert "wie besprochen." in told
    assert "Gültig bis: 31.01.2026" in told
    assert "12.000,00" in told
    (address,) = re.findall(r"https://\S+", told.split("\n-- ")[0])
    assert address == quote_mail.address(token=sent.token)
    assert address in body(message, "html")
    assert order_forms.opened(token=address.split("/")[-2], at=AT).pk == form.pk
    assert quote_deliveries.run(as_of=AT + timedelta(days=1)) == quote_deliveries.Sweep()


def test_the_secret_is_nowhere_to_be_read(form: OrderForm, sam: User, caplog: pytest.LogCaptureFixture) -> None:
    sent = send(form, sam)
    row = QuoteDelivery.objects.get()
    secret = sent.token.split(":")[0]
    kept = [str(value) for value in QuoteDelivery.objects.values_list().get()]
    kept += [str(value) for value in OrderForm.objects.values_list().get()]
    kept += [f"{entry.old}{entry.new}{entry.reason}" for entry in AuditEntry.objects.all()]
    assert not [value for value in kept if secret in value]
    assert secret not in caplog.text
    assert quote_secrets.opened(sealed=row.sealed_token) == sent.token
    assert quote_secrets.seal(secret=sent.token) != row.sealed_token


def test_a_key_that_was_changed_is_told_and_an_earlier_one_still_opens(settings: Any) -> None:
    sealed = quote_secrets.seal(secret="t")
    before, settings.SECRET_KEY = settings.SECRET_KEY, "x" * 50
    with pytest.raises(quote_secrets.SecretLost):
        quote_secrets.opened(sealed=sealed)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert quote_secrets.opened(sealed=sealed) == "t"


def test_a_server_that_refuses_gets_the_same_mail_again(inbox: Inbox, form: OrderForm, sam: User) -> None:
    send(form, sam)
    inbox.refusals = ["451 try again later"] * 4
    pauses = [timedelta(0), *(timedelta(minutes=minutes) for minutes in (1, 16, 81))]
    at = AT
    for pause in pauses:
        at += pause
        assert quote_deliveries.run(as_of=at).failed
        assert not quote_deliveries.run(as_of=at).failed
    row = QuoteDelivery.objects.get()
    assert (row.state, row.attempts) == ("failed", 4)
    assert "try again later" in row.error
    assert inbox.envelopes == []
    send(form, sam)
    quote_deliveries.run(as_of=at)
    (message,) = inbox.messages()
    assert message["Message-ID"] == QuoteDelivery.objects.get(number=2).message_id


def test_a_later_mail_takes_the_place_of_one_that_waits(inbox: Inbox, form: OrderForm, sam: User) -> None:
    send(form, sam)
    later = send(form, sam, to="ceo@musterbau.example")
    assert list(QuoteDelivery.objects.order_by("number").values_list("state", flat=True)) == ["dropped", "pending"]
    quote_deliveries.run(as_of=AT)
    (message,) = inbox.messages()
    assert message["To"] == "ceo@musterbau.example"
    assert quote_mail.address(token=later.token) in body(message)


def test_what_was_withdrawn_is_not_sent(inbox: Inbox, form: OrderForm, sam: User) -> None:
    send(form, sam)
    order_forms.void(order_form_id=form.pk, reason="A mistake.", actor=made.actor(sam), at=AT)
    assert quote_deliveries.run(as_of=AT) == quote_deliveries.Sweep()
    assert QuoteDelivery.objects.get().state == QuoteDelivery.State.DROPPED
    assert inbox.envelopes == []


def test_one_reminder_comes_three_days_before_the_end(inbox: Inbox, form: OrderForm, sam: User) -> None:
    sent = send(form, sam)
    quote_deliveries.run(as_of=AT)
    assert not quote_deliveries.run(as_of=END - timedelta(days=3, seconds=1)).reminded

    swept = quote_deliveries.run(as_of=END - timedelta(days=3))

    assert len(swept.reminded) == len(swept.sent) == 1
    message = inbox.messages()[1]
    assert message["Subject"] == "Erinnerung: Angebot QT-2026-0001 von Nordlicht gilt bis 31.01.2026"
    assert message["To"] == "cfo@musterbau.example"
    assert quote_mail.address(token=sent.token) in body(message)
    assert quote_deliveries.run(as_of=END - timedelta(days=1)) == quote_deliveries.Sweep()
    assert AuditEntry.objects.filter(verb="remind", actor_kind="job").count() == 1


def test_nobody_is_reminded_of_what_was_answered_or_never_arrived(inbox: Inbox, form: OrderForm, sam: User) -> None:
    send(form, sam)
    inbox.refusals = ["550 no such user"]
    quote_deliveries.run(as_of=AT)
    assert quote_mail.remind(as_of=END - timedelta(days=1)) == []
    quote_deliveries.run(as_of=AT + timedelta(minutes=1))
    form.refresh_from_db()
    made.accept(form, at="2026-01-05")
    assert quote_mail.remind(as_of=END - timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("to", "code"), [([], "no_email_address"), (["not an address"], "validation_errors"), ([""], "no_email_address")]
)
def test_whom_nobody_can_write_to(form: OrderForm, to: list[str], code: str) -> None:
    with pytest.raises((quote_mail.NoRecipient, quote_mail.delivery_mail.InvalidRecipients)) as refused:
        quote_mail.queue(order_form=form, token="t", to=to, message="", at=AT)
    assert refused.value.code == code
    assert QuoteDelivery.objects.count() == 0
