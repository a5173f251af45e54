"""What a customer answers to a quote on its page: an acceptance or a refusal, and what was missing of the customer.

Owns the one transaction around an answer. Whether it still counts, and what an acceptance makes, is `order_forms`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from billing.models import OrderForm, Quote
from billing.services import order_forms, quote_rows
from billing.services.order_forms import Signer
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.domain import profiles


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An acceptance: who signs which document. ``details`` are a new customer's, by the names of its columns."""

    signer: Signer
    document_sha256: str
    purchase_order_number: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def accept(*, token: str, answer: Acceptance, at: datetime) -> OrderForm:
    """Accept the order form that a link opens, for the customer, and return it as it is afterwards.

    All or nothing: where something cannot be made, the details are not kept either. The same click twice is one
    acceptance, and the second answer is the first one. Raises what opening the link and accepting raise, and Invalid
    with codes per field for details that are none.
    """
    order_form = order_forms.opened(token=token, at=at)
    actor = _actor(answer.signer)
    # Under the lock: the other one of two clicks finds the acceptance of the first, whatever it tells of itself.
    held = quote_rows.locked_form(order_form.pk)
    if held.state == OrderForm.State.GENERATED and answer.details:
        _complete(held.version.quote, answer.details, actor, at)
    return order_forms.accept(
        order_form_id=order_form.pk,
        signer=answer.signer,
        document_sha256=answer.document_sha256,
        purchase_order_number=answer.purchase_order_number,
        actor=actor,
        at=at,
    )


@transaction.atomic
def decline(*, token: str, signer: Signer, reason: str, at: datetime) -> OrderForm:
    """Decline the order form that a link opens, for the customer. Raises what opening and declining raise."""
    order_form = order_forms.opened(token=token, at=at)
    return order_forms.decline(order_form_id=order_form.pk, reason=reason, signer=signer, actor=_actor(signer), at=at)


def _complete(quote: Quote, details: Mapping[str, str], actor: Actor, at: datetime) -> None:
    """Write down what a prospect told of itself. Only the prospect's own quote is touched, and no customer."""
    profiles.demand(details)
    if quote.customer_id is not None:
        raise errors.NotAllowed("customer_is_known", "The billing details of a customer are not changed by a quote.")
    old = {name: quote.prospect.get(name, "") for name in details}
    changed = {name: value for name, value in details.items() if value != old[name]}
    if not changed:
        return
    quote.prospect = {**quote.prospect, **changed}
    quote.updated_at = at
    quote.save(update_fields=["prospect", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="complete_prospect",
        instance=quote,
        old={name: old[name] for name in changed},
        new=changed,
    )


def _actor(signer: Signer) -> Actor:
    return Actor(kind="customer", label=signer.name[:255], address=signer.address, client=signer.client)
