"""Order forms: sending one to the customer, and what the customer says to it.

Owns sending, accepting, declining and voiding. An acceptance is all or nothing: where what was signed cannot be made,
nobody accepted. A second click is answered like the first one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from billing.domain import quote_states, quote_terms
from billing.domain.quote_states import FormVerb, VersionVerb
from billing.models import Order, OrderForm
from billing.services import (
    orders,
    quote_execution,
    quote_forms,
    quote_links,
    quote_mail,
    quote_rows,
    signatures,
    signed_documents,
    webhook_types,
)
from billing.services.quote_links import LinkInvalid, LinkOver
from billing.services.signed_documents import SignedDocument
from config.kernel import actors, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

__all__ = ["LinkInvalid", "LinkOver", "Sent", "SignedDocument", "Signer", "opened"]

log = logging.getLogger(__name__)
opened = quote_links.opened
CHUNK = 200


class UnableToSign(errors.NotAllowed):
    """The order form cannot be signed: it is over, or has no document yet."""


class DocumentChanged(errors.Conflict):
    """What was shown is not the document of the order form."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who accepts or declines for the customer, and from where."""

    name: str
    title: str = ""
    email: str = ""
    address: str = ""
    client: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """An order form that was sent, and the secret of its link, which is not kept."""

    order_form: OrderForm
    token: str


@transaction.atomic
@tellings.gathered
def send(*, order_form_id: int, to: Sequence[str], message: str, actor: Actor, at: datetime) -> Sent:
    """Send an order form by e-mail after the transaction, with a new link: earlier links end. Not idempotent.

    Raises QuoteNotFound, InvalidQuoteState, UnableToSign where its time is over, CustomerExists for a prospect who
    could not accept it, ApprovalRequired for credits that it gives, and what the e-mail raises.
    """
    form = quote_rows.locked_form(order_form_id)
    version = form.version
    quote_states.form_after(state=form.state, verb=FormVerb.SEND)
    _demand_in_time(form, at)
    quote_execution.demand_newcomer(version.quote)
    terms = quote_terms.read(version.terms)
    quote_execution.demand_second(terms=terms, currency=version.currency, actor=actor)
    token = quote_links.mint(order_form=form)
    form.token_sha256 = quote_links.digest(token=token)
    form.sent_to, form.sent_at, form.updated_at = ", ".join(to)[:1024], at, at
    form.save(update_fields=["token_sha256", "sent_to", "sent_at", "updated_at"])
    version.state = quote_states.version_after(state=version.state, verb=VersionVerb.SEND).value
    version.sent_at, version.updated_at = version.sent_at or at, at
    version.save(update_fields=["state", "sent_at", "updated_at"])
    quote_mail.queue(order_form=form, token=token, to=to, message=message, at=at)
    audit.record(actor=actor, at=at, verb="send", instance=version, new={"state": version.state, "to": list(to)})
    audit.record(actor=actor, at=at, verb="send", instance=form, new={"to": list(to)})
    tellings.tell(webhook_types.ORDER_FORM_SENT, form, at=at)
    return Sent(form, token)


@transaction.atomic
@tellings.gathered
def accept(
    *,
    order_form_id: int,
    signer: Signer,
    document_sha256: str,
    purchase_order_number: str = "",
    actor: Actor,
    at: datetime,
) -> OrderForm:
    """Accept an order form for the customer, and make all that it says in the same transaction.

    ``document_sha256`` is of the PDF that was shown. One that was accepted already is returned as it is. Raises
    QuoteNotFound, InvalidQuoteState, UnableToSign (`order_form_is_expired`, `document_not_ready`), DocumentChanged,
    Invalid for a signer without a name, and what the execution raises: then nobody accepted, and nothing is made.
    """
    form = quote_rows.locked_form(order_form_id)
    if form.state == OrderForm.State.SIGNED:
        return form
    quote_states.form_after(state=form.state, verb=FormVerb.SIGN)
    _demand_in_time(form, at)
    if not form.sha256:
        raise UnableToSign("document_not_ready", "The document is being made. Try again in a moment.")
    if document_sha256 != form.sha256:
        raise DocumentChanged("document_changed", "What was shown is not the document that is to be signed.")
    order = _signed(form, signer, purchase_order_number, Order.Mode.EXECUTE, None, actor, at)
    orders.run(order=order, form=form, actor=actor, at=at)
    return form


@transaction.atomic
@tellings.gathered
def record_signature(
    *,
    order_form_id: int,
    signer: Signer,
    document: SignedDocument | None = None,
    mode: str = Order.Mode.EXECUTE,
    execute_at: datetime | None = None,
    purchase_order_number: str = "",
    signed_on: date | None = None,
    actor: Actor,
    at: datetime,
) -> OrderForm:
    """Record that the customer signed on paper, with the document where there is one; execute it now or later.

    With ``execute_at`` to come a job executes the order then; in the mode ``order_only`` it is kept until somebody
    executes it. ``signed_on`` is the day beside the signature, local to the customer: with it and the document a
    signature counts that came back after the last day. What has no day of its own starts on the day of the execution
    all the same. One that was signed already is returned as it is. Raises as `accept`, Invalid (`signed_on`,
    `signed_document`), NotAllowed (`another_version_is_offered`), InvalidDocument, and ApprovalRequired for credits
    that it gives, unless it was sent: that had its second person.
    """
    form = quote_rows.locked_form(order_form_id)
    if form.state == OrderForm.State.SIGNED:
        return form
    is_late = signed_on is not None and signatures.is_late(order_form=form, at=at)
    quote_states.form_after(state=form.state, verb=FormVerb.SIGN_LATE if is_late else FormVerb.SIGN)
    if signed_on is not None:
        signatures.demand(order_form=form, signed_on=signed_on, at=at)
    if is_late:
        signatures.demand_late(order_form=form, has_document=document is not None)
    else:
        _demand_in_time(form, at)
    if mode not in Order.Mode.values:
        raise errors.Invalid("validation_errors", "", {"execution_mode": ["invalid_value"]})
    if form.sent_at is None:  # what was sent had its second person before
        terms = quote_terms.read(form.version.terms)
        quote_execution.demand_second(terms=terms, currency=form.version.currency, actor=actor)
    form.recorded_by, form.signed_on = actor.label[:255], signed_on
    with signed_documents.stored(order_form=form, document=document) as name:
        form.signed_document = name
        order = _signed(form, signer, purchase_order_number, mode, execute_at, actor, at)
        if mode == Order.Mode.EXECUTE and (execute_at is None or execute_at <= at):
            orders.run(order=order, form=form, actor=actor, at=at)
    return form


@transaction.atomic
@tellings.gathered
def decline(*, order_form_id: int, reason: str, signer: Signer, actor: Actor, at: datetime) -> OrderForm:
    """Decline an order form for the customer. One that was declined already is returned as it is.

    Raises QuoteNotFound, InvalidQuoteState, UnableToSign where its time is over, Invalid without a name or reason.
    """
    form = quote_rows.locked_form(order_form_id)
    if form.state == OrderForm.State.DECLINED:
        return form
    if not reason.strip():
        raise errors.Invalid("validation_errors", "Say why.", {"reason": ["value_is_mandatory"]})
    form.state = quote_states.form_after(state=form.state, verb=FormVerb.DECLINE).value
    _demand_in_time(form, at)
    form.reason = reason
    if actor.kind != "customer":
        form.recorded_by = actor.label[:255]
    _decided(form, signer, at)
    version = form.version
    version.state = quote_states.version_after(state=version.state, verb=VersionVerb.DECLINE).value
    version.decided_at = version.updated_at = at
    version.save(update_fields=["state", "decided_at", "updated_at"])
    new = {"state": version.state, "signer": signer.name}
    audit.record(actor=actor, at=at, verb="decline", instance=version, new=new, reason=reason)
    audit.record(actor=actor, at=at, verb="decline", instance=form, new=new, reason=reason)
    tellings.tell(webhook_types.ORDER_FORM_DECLINED, form, at=at)
    return form


@transaction.atomic
@tellings.gathered
def void(*, order_form_id: int, reason: str, actor: Actor, at: datetime) -> OrderForm:
    """Void an order form that nobody answered, with its version. Raises QuoteNotFound, InvalidQuoteState, Invalid."""
    form = quote_rows.locked_form(order_form_id)
    if not reason.strip():
        raise errors.Invalid("validation_errors", "Say why.", {"reason": ["value_is_mandatory"]})
    quote_states.form_after(state=form.state, verb=FormVerb.VOID)
    quote_forms.void(version=form.version, reason=reason, actor=actor, at=at)
    form.refresh_from_db()
    return form


def expire_due(*, as_of: datetime) -> int:
    """End the order forms whose time is over: a periodic job, any number of times. Returns how many those were.

    Each is a transaction of its own; one that cannot be ended is logged and stops no other.
    """
    due = OrderForm.objects.filter(state=OrderForm.State.GENERATED, expires_at__lte=as_of).order_by("pk")
    done = 0
    for pk in list(due.values_list("pk", flat=True)):
        try:
            done += _expire(pk, as_of)
        except errors.DomainError:
            log.exception("order form %s could not be ended", pk)
    return done


def _expire(order_form_id: int, at: datetime) -> bool:
    with transaction.atomic(), tellings.once(at=at):
        form = quote_rows.locked_form(order_form_id)
        if form.state != OrderForm.State.GENERATED or form.expires_at is None or form.expires_at > at:
            return False
        quote_forms.expire(form=form, actor=actors.job("expire_order_forms"), at=at)
    return True


def _signed(
    form: OrderForm,
    signer: Signer,
    purchase_order_number: str,
    mode: str,
    execute_at: datetime | None,
    actor: Actor,
    at: datetime,
) -> Order:
    """Write down who signed what, and the order that it is."""
    version = form.version
    quote = version.quote
    customer = quote_execution.customer_of(quote=quote, currency=version.currency, actor=actor, at=at)
    if quote.customer_id is None:
        quote.customer, quote.updated_at = customer, at
        quote.save(update_fields=["customer", "updated_at"])
    is_late = form.signed_on is not None
    verbs = (FormVerb.SIGN_LATE, VersionVerb.ACCEPT_LATE) if is_late else (FormVerb.SIGN, VersionVerb.ACCEPT)
    form.state = quote_states.form_after(state=form.state, verb=verbs[0]).value
    form.customer = customer
    _decided(form, signer, at)
    version.state = quote_states.version_after(state=version.state, verb=verbs[1]).value
    version.decided_at = version.updated_at = at
    version.save(update_fields=["state", "decided_at", "updated_at"])
    new = {"state": version.state, "signer": signer.name, "title": signer.title, "document_sha256": form.sha256}
    if form.signed_on is not None:
        new["signed_on"] = form.signed_on.isoformat()
    audit.record(actor=actor, at=at, verb="accept", instance=version, new=new)
    audit.record(actor=actor, at=at, verb="sign", instance=form, new=new)
    tellings.tell(webhook_types.ORDER_FORM_SIGNED, form, at=at)
    return orders.make(
        form=form,
        mode=mode,
        execute_at=execute_at,
        purchase_order_number=purchase_order_number,
        actor=actor,
        at=at,
    )


def _decided(form: OrderForm, signer: Signer, at: datetime) -> None:
    if not signer.name.strip():
        raise errors.Invalid("validation_errors", "Say who signs.", {"name": ["value_is_mandatory"]})
    form.signer_name, form.signer_title = signer.name[:255], signer.title[:255]
    form.signer_email, form.signer_address = signer.email[:1024], signer.address[:64]
    form.signer_client = signer.client[:512]
    form.first_seen_at = form.first_seen_at or at
    form.decided_at = form.updated_at = at
    form.save()


def _demand_in_time(form: OrderForm, at: datetime) -> None:
    if form.expires_at is not None and form.expires_at <= at:
        raise UnableToSign("order_form_is_expired", f"The offer was valid until {form.version.valid_until}.")
