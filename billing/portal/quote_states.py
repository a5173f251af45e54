"""What the page of a quote says once it cannot be answered any more: accepted, declined, expired, withdrawn or unknown.

Owns the words and the status of each state, in the language that is active.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import pgettext

from billing.domain.quote_document import QuoteDocument
from billing.models import OrderForm
from billing.queries import quotes
from config.kernel import dates, errors
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Fact

State = OrderForm.State


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a quote stands: what the page says, and whether its document may still be had."""

    state: str
    tone: str
    title: str
    text: str
    steps: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    digest: str = ""
    status: int = HTTPStatus.OK
    has_document: bool = True

    def content(self) -> dict[str, Any]:
        """Return the values that the template asks for."""
        return {
            "state": self.state,
            "tone": self.tone,
            "title": self.title,
            "text": self.text,
            "steps": self.steps,
            "facts": self.facts,
            "digest": self.digest,
        }


def of(order_form: OrderForm, document: QuoteDocument, *, at: datetime) -> Outcome | None:
    """Return how an order form stands that cannot be answered any more; nothing for one that can."""
    if order_form.state == State.SIGNED:
        return _accepted(order_form, document)
    if order_form.state == State.DECLINED:
        return _declined(order_form, document)
    if order_form.state == State.VOIDED:
        return Outcome(
            state=pgettext("quote", "Withdrawn"),
            tone="bad",
            title=pgettext("quote", "This quote does not count any more"),
            text=_ask(pgettext("quote", "It was withdrawn, or another one took its place."), document),
            status=HTTPStatus.GONE,
            has_document=False,
        )
    is_late = order_form.expires_at is not None and order_form.expires_at <= at
    if order_form.state == State.EXPIRED or is_late:
        text = pgettext("quote", "It was valid until {date}.").format(date=document.valid_until)
        return Outcome(
            state=pgettext("quote", "Expired"),
            tone="bad",
            title=pgettext("quote", "This quote has expired"),
            text=_ask(text, document),
            status=HTTPStatus.GONE,
        )
    return None


def missing() -> Outcome:
    """Return what is said where there is nothing, as at the address of a document that is not there."""
    return Outcome(
        state=pgettext("quote", "Not found"),
        tone="bad",
        title=pgettext("quote", "There is nothing here"),
        text=pgettext("quote", "What you look for is not there, or not yet. Please try again in a minute."),
        has_document=False,
    )


def closed(request: HttpRequest, *, is_replaced: bool) -> HttpResponse:
    """Answer a link that opens nothing, without anybody's name: 410 where a later one took its place, else 404."""
    if is_replaced:
        title = pgettext("quote", "There is a newer link")
        text = pgettext("quote", "A later e-mail brought you another link to this quote. Please open that one.")
    else:
        title = pgettext("quote", "This link does not work")
        text = pgettext("quote", "It may have been cut off. Try to open all of it, or ask for a new one.")
    context = {"language": translation.get_language(), "title": title, "text": text}
    status = HTTPStatus.GONE if is_replaced else HTTPStatus.NOT_FOUND
    return TemplateResponse(request, "portal/closed.html", context, status=status).render()


def refusal(refused: errors.DomainError, document: QuoteDocument) -> str:
    """Return in words why an answer was not taken. What is the house's own business stays there."""
    if refused.code == "document_changed":
        return pgettext("quote", "The document was changed since you opened this page. Please read it again.")
    text = pgettext("quote", "Your answer could not be taken, and nothing was changed.")
    return _ask(text, document)


def _accepted(order_form: OrderForm, document: QuoteDocument) -> Outcome:
    steps = [pgettext("quote", "Your order is on its way. You do not need to do anything now.")]
    if order_form.customer is not None and order_form.customer.email:
        text = pgettext("quote", "Invoices go to {email}.")
        steps.append(text.format(email=order_form.customer.email))
    steps.append(pgettext("quote", "Please keep the document: it is what you signed."))
    return Outcome(
        state=pgettext("quote", "Accepted"),
        tone="good",
        title=pgettext("quote", "Thank you, your order is placed"),
        text=document.name,
        steps=tuple(steps),
        facts=_signed(order_form, document),
        digest=order_form.sha256,
    )


def _declined(order_form: OrderForm, document: QuoteDocument) -> Outcome:
    return Outcome(
        state=pgettext("quote", "Declined"),
        tone="neutral",
        title=pgettext("quote", "You declined this quote"),
        text=pgettext("quote", "Thank you for telling us. If you change your mind, please ask {who}.").format(
            who=_whom(document)
        ),
        facts=_signed(order_form, document),
        digest=order_form.sha256,
    )


def _signed(order_form: OrderForm, document: QuoteDocument) -> tuple[Fact, ...]:
    person = ", ".join(part for part in (order_form.signer_name, order_form.signer_title) if part)
    facts = (
        Fact(pgettext("quote", "By"), person),
        Fact(pgettext("quote", "On"), _instant(order_form, document)),
        Fact(pgettext("quote", "Reason"), order_form.reason),
        Fact(pgettext("quote", "Document"), order_form.number),
    )
    return tuple(fact for fact in facts if fact.value)


def _instant(order_form: OrderForm, document: QuoteDocument) -> str:
    if order_form.decided_at is None:
        return ""
    zone = dates.zone(quotes.timezone_of(order_form.version.quote))
    local = order_form.decided_at.astimezone(zone)
    return f"{Formats(document.conventions).day(local.date())}, {local:%H:%M} ({zone.key})"


def _ask(text: str, document: QuoteDocument) -> str:
    """Add whom to ask."""
    asked = pgettext("quote", "Please ask {who}.").format(who=_whom(document))
    return f"{text} {asked}"


def _whom(document: QuoteDocument) -> str:
    """Return the person who owns the quote with the seller, else the seller."""
    return ", ".join(part for part in (document.contact, document.seller_name) if part)
