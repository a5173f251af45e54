"""The e-mail that brings an invoice: its words, its headers and its attachment. Builds a message and sends nothing.

Names and numbers come from people, so that whatever enters a header is reduced to one line of plain text first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from email import utils

from django.conf import settings
from django.core import validators
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import pgettext

from invoicing.domain.document_view import Fact, InvoiceView

LONGEST_SUBJECT = 250

_SEPARATORS = re.compile(r"[,;\s]+")


def addresses(text: str) -> tuple[list[str], list[str]]:
    """Split a customer's e-mail addresses at commas into those that can be written to, each once, and the others."""
    good: dict[str, str] = {}
    bad = []
    for address in filter(None, _SEPARATORS.split(text)):
        try:
            validators.validate_email(address)
        except ValidationError:
            bad.append(address)
        else:
            good.setdefault(address.lower(), address)
    return list(good.values()), bad


def subject(*, view: InvoiceView) -> str:
    """Return the subject in the invoice's language: number, seller, amount due and day."""
    with translation.override(view.language):
        if view.is_paid:
            words = pgettext("email", "Invoice {number} from {seller}: paid")
        elif view.is_nothing_due:
            words = pgettext("email", "Invoice {number} from {seller}: nothing to pay")
        else:
            words = pgettext("email", "Invoice {number} from {seller}: {amount} due {date}")
    text = words.format(number=view.number, seller=view.seller_name, amount=view.amount_due, date=view.due_on)
    return one_line(text)[:LONGEST_SUBJECT]


def message(
    *,
    view: InvoiceView,
    recipients: Sequence[str],
    reply_to: str,
    message_id: str,
    attachment: tuple[str, bytes],
    at: datetime,
) -> EmailMultiAlternatives:
    """Build the message: plain text, the same as HTML, and the PDF. Every header is one line whatever the data says.

    It comes from the installation's own address under the seller's name, because mail servers trust no other; answers
    go to the seller.
    """
    title = subject(view=view)
    answers, _ = addresses(reply_to)
    with translation.override(view.language):
        context = {"invoice": view, "subject": title, "facts": _facts(view), "can_reply": bool(answers)}
        text = render_to_string("email/invoice.txt", context)
        html = render_to_string("email/invoice.html", context)
    mail = EmailMultiAlternatives(
        subject=title,
        body=text,
        from_email=sender(view.seller_name),
        to=list(recipients),
        reply_to=answers[:1],
        headers={"Message-ID": message_id, "Date": utils.format_datetime(at), "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    mail.attach(attachment[0], attachment[1], "application/pdf")
    return mail


def sender(name: str) -> str:
    """Return the From header: a seller's name with the installation's address."""
    return utils.formataddr((one_line(name), _own_address()))


def message_id(*, unique: str) -> str:
    """Return the Message-ID of a mail that has this unique name: the same every time it is sent."""
    return f"<{unique}@{_own_address().rpartition('@')[2] or 'localhost'}>"


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters, runs of white space as one space."""
    visible = "".join(" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in text)
    return re.sub(r"[ \t]+", " ", visible).strip()


def _own_address() -> str:
    return utils.parseaddr(settings.DEFAULT_FROM_EMAIL)[1] or settings.DEFAULT_FROM_EMAIL


def _facts(view: InvoiceView) -> list[Fact]:
    facts = [
        Fact(pgettext("document", "Invoice number"), view.number),
        Fact(pgettext("document", "Issue date"), view.issued_on),
        Fact(pgettext("document", "Service period"), view.period),
        Fact(pgettext("document", "Total"), view.total),
    ]
    if not view.is_nothing_due:
        facts.append(Fact(pgettext("document", "Due date"), view.due_on))
    return [fact for fact in facts if fact.value]
