"""The e-mail of an invoice: its words, its headers, and that nobody can smuggle anything into them."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from invoicing.domain.document_view import InvoiceView
from invoicing.services import delivery_mail, document_views
from tests.factories import documents as factory
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
LINES = [LineRow("Fee", "1037.44", unit_amount="1037.44")]  # × 1.19 = 1,234.5536 → 1,234.55


def view_of(*, lines: list[LineRow] = LINES, locale: str = "de", **seller: Any) -> InvoiceView:
    invoice = factory.finalized(factory.buyer(factory.seller(**seller)), lines, locale=locale)
    return document_views.of(invoice=document_views.read(invoice_id=invoice.pk))


def built(view: InvoiceView, **values: Any) -> EmailMessage:
    """The message as a receiver reads it."""
    mail = delivery_mail.message(
        **{
            "view": view,
            "recipients": ["a@customer.example", "b@customer.example"],
            "reply_to": "billing@seller.example",
            "message_id": "<unique@localhost>",
            "attachment": ("NOR-202606-001.pdf", b"%PDF-1.7 \x00\xff"),
            "at": AT,
            **values,
        }
    )
    return email.message_from_bytes(mail.message().as_bytes(), policy=email.policy.default)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", "Invoice NOR-202606-001 from Nordlicht Hosting: €1,234.55 due 15 Jun 2026"),
        ("de", "Rechnung NOR-202606-001 von Nordlicht Hosting: 1.234,55 €, fällig am 15.06.2026"),
        ("fr", "Facture NOR-202606-001 de Nordlicht Hosting : 1 234,55 € à régler avant le 15 juin 2026"),
    ],
)
def test_the_subject_says_what_matters(locale: str, expected: str) -> None:
    subject = delivery_mail.subject(view=view_of(locale=locale))
    assert subject.replace("\u00a0", " ").replace("\u202f", " ") == expected


def test_the_subject_when_nothing_is_to_be_paid() -> None:
    view = view_of(lines=[LineRow("Free", "0")], locale="en")
    assert delivery_mail.subject(view=view) == "Invoice NOR-202606-001 from Nordlicht Hosting: nothing to pay"
    text = body(built(view), "plain")
    assert "There is nothing to pay." in text
    assert "IBAN" not in text


def test_headers() -> None:
    message = built(view_of())
    assert message["From"] == "Nordlicht Hosting <billing@localhost>"
    assert message["To"] == "a@customer.example, b@customer.example"
    assert message["Reply-To"] == "billing@seller.example"
    assert message["Message-ID"] == "<unique@localhost>"
    assert message["Date"].datetime == AT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Bcc"] is None


def test_text_and_html_say_the_same() -> None:
    message = built(view_of())
    for kind in ("plain", "html"):
        content = body(message, kind)
        for word in ("NOR-202606-001", "1.234,55 €", "15.06.2026", "DE89 3704 0044 0532 0130 00", "Nordlicht Hosting"):
            assert word in content


def test_html_has_nothing_to_fetch_or_to_run() -> None:
    html = body(built(view_of()), "html")
    for word in ("<img", "<script", "<link", "src=", "url("):
        assert word not in html


def test_the_attachment_is_the_document_byte_for_byte() -> None:
    (attachment,) = built(view_of()).iter_attachments()
    assert attachment.get_filename() == "NOR-202606-001.pdf"
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == b"%PDF-1.7 \x00\xff"


@pytest.mark.parametrize(
    "name",
    [
        "Evil\r\nBcc: victim@example.com",
        "Evil\nSubject: other",
        "Evil\x0bBcc: victim@example.com",
        "Evil\u2028Bcc: victim@example.com",
        'Evil" <attacker@example.com>, "',
        "Evil <attacker@example.com>",
        "Evil, attacker@example.com",
        "\x00Evil",
    ],
)
def test_a_name_cannot_add_headers_or_addresses(name: str) -> None:
    view = view_of(name=name.replace("\x00", ""), legal_name="")
    message = built(view)
    assert message["Bcc"] is None
    assert len(message.get_all("Subject", [])) == 1
    assert [address.addr_spec for address in message["From"].addresses] == ["billing@localhost"]
    assert [address.addr_spec for address in message["To"].addresses] == ["a@customer.example", "b@customer.example"]
    assert "\n" not in message["Subject"]


@pytest.mark.parametrize("reply_to", ["", "no address", "a@b.example\nBcc: victim@example.com", "x\r\ny"])
def test_an_address_for_answers_that_is_none_is_left_out(reply_to: str) -> None:
    message = built(view_of(), reply_to=reply_to)
    assert "victim" not in str(message["Bcc"])
    assert message["Reply-To"] in {None, "a@b.example"}


def test_answers_are_asked_for_only_where_they_reach_the_seller() -> None:
    view = view_of()
    assert "antworten" in body(built(view), "plain")
    silent = built(view, reply_to="")
    assert "antworten" not in body(silent, "plain")
    assert "antworten" not in body(silent, "html")


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("a@b.example", ["a@b.example"], []),
        (" a@b.example , c@d.example;e@f.example ", ["a@b.example", "c@d.example", "e@f.example"], []),
        ("A@b.example,a@B.example", ["A@b.example"], []),
        ("", [], []),
        (" , ;", [], []),
        ("nobody", [], ["nobody"]),
        ("a@b.example,nobody@", ["a@b.example"], ["nobody@"]),
        ("a@b.example\nBcc:victim@example.com", ["a@b.example"], ["Bcc:victim@example.com"]),
        ("Name <a@b.example>", [], ["Name", "<a@b.example>"]),
        ("rechnung@bücher.example", ["rechnung@bücher.example"], []),
    ],
)
def test_addresses(text: str, good: list[str], bad: list[str]) -> None:
    assert delivery_mail.addresses(text) == (good, bad)


def test_a_long_subject_is_cut() -> None:
    view = view_of(name="N" * 255)
    assert len(delivery_mail.subject(view=view)) == delivery_mail.LONGEST_SUBJECT


def test_the_sender_keeps_its_letters() -> None:
    message = built(view_of(name="Bücher & Söhne, GmbH"))
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Bücher & Söhne, GmbH", "billing@localhost")
