"""The e-mail that brings a document: its words, its headers and its attachment. Builds a message and sends nothing.

Names and numbers come from people, so that whatever enters a header is reduced to one line of plain text first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from email import utils

from django.conf import settings
from django.core import validators
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import pgettext

from config.kernel import errors
from invoicing.domain.document_view import Fact, InvoiceView

LONGEST_SUBJECT = 250

_SEPARATORS = re.compile(r"[,;\s]+")


class InvalidRecipients(errors.Invalid):
    """Something that is no e-mail address is among the recipients."""


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


def checked(*, field: str, given: Sequence[str]) -> list[str]:
    """Return addresses that somebody named, each once. Raises InvalidRecipients for what is none."""
    good, bad = addresses(",".join(given))
    if bad:
        message = f"Not an e-mail address: {', '.join(bad)}."
        raise InvalidRecipients("validation_errors", message, {field: ["invalid_email_format"]})
    return good


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
    copies: Sequence[str] = (),
    blind_copies: Sequence[str] = (),
    annex: tuple[str, bytes] | None = None,
) -> EmailMultiAlternatives:
    """Build the message: plain text, the same as HTML, the PDF, and its annex if it has one. Every header is one line
    whatever the data says.

    It comes from the installation's own address under the seller's name, because mail servers trust no other; answers
    go to the seller.
    """
    title = subject(view=view)
    with translation.override(view.language):
        facts = _facts(view)
    mail = build(
        template="invoice",
        language=view.language,
        subject_line=title,
        context={"invoice": view, "facts": facts},
        seller_name=view.seller_name,
        recipients=recipients,
        copies=copies,
        blind_copies=blind_copies,
        reply_to=reply_to,
        message_id=message_id,
        attachments=[attachment],
        at=at,
    )
    if annex is not None:
        mail.attach(annex[0], annex[1], "text/csv")
    return mail


def build(
    *,
    template: str,
    language: str,
    subject_line: str,
    context: Mapping[str, object],
    seller_name: str,
    recipients: Sequence[str],
    copies: Sequence[str],
    blind_copies: Sequence[str],
    reply_to: str,
    message_id: str,
    attachments: Sequence[tuple[str, bytes]],
    at: datetime,
) -> EmailMultiAlternatives:
    """Build a message with PDFs from the templates of its kind, in its language; see `message`."""
    answers, _ = addresses(reply_to)
    with translation.override(language):
        filled = {**context, "subject": subject_line, "can_reply": bool(answers)}
        text = render_to_string(f"email/{template}.txt", filled)
        html = render_to_string(f"email/{template}.html", filled)
    mail = EmailMultiAlternatives(
        subject=subject_line,
        body=text,
        from_email=sender(seller_name),
        to=list(recipients),
        cc=list(copies),
        bcc=list(blind_copies),
        reply_to=answers[:1],
        headers={"Message-ID": message_id, "Date": utils.format_datetime(at), "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    for name, content in attachments:
        mail.attach(name, content, "application/pdf")
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
