"""The wait for a first payment on the page of a subscription: what it waits for, and giving it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from billing.domain import states
from billing.domain.states import Verb
from billing.models import ActivationRule, Subscription
from billing.services import activations
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.queries import held_payments, receivables


class DeclineActivation(ObjectVerb):
    """Give up the wait for a first payment."""

    name = "decline"
    label = "Decline"
    icon = "money_off"
    variant = theme.ActionVariant.DANGER
    permission = "billing.terminate_subscription"
    explanation = "It is canceled and never ran. Its invoice is closed without a number; its id may be used again."
    confirm = "Decline the subscription"
    form_class = ReasonForm

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """Only what waits for its first payment."""
        states.next(state=instance.status, verb=Verb.DECLINE)

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What it waits for, and money that came in already."""
        return notes(instance)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Decline it."""
        activations.decline(subscription_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome("The subscription was declined.")


def notes(subscription: Subscription) -> tuple[Block, ...]:
    """What a subscription waits for; money that came in for one that was given up."""
    rows = ActivationRule.objects.filter(subscription=subscription, invoice__isnull=False)
    rule = rows.select_related("invoice__customer").first()
    if rule is None or rule.invoice is None:
        return ()
    invoice, paid = rule.invoice, cells.money_text(rule.invoice.paid_amount)
    if rule.status == ActivationRule.Status.PENDING:
        until = "" if rule.expires_at is None else f", until {cells.instant_text(rule.expires_at)}"
        owed = cells.money_text(receivables.owed(invoice))
        waits = cells.to(invoice, f"It waits for {owed} of its first invoice{until}.")
        found: list[Block] = [Note(waits, Tone.WARN)]
        if invoice.paid_amount:
            text = f"{paid} came in already. When the rest does not come, that is the customer's: pay it back."
            found.append(Note(text, Tone.INFO))
        return tuple(found)
    held = held_payments.released(invoice)
    if held and subscription.status == Subscription.Status.CANCELED:
        text = f"It never ran. {cells.money_text(held)} that came in for it is the customer's: pay it back."
        return (Note(text, Tone.BAD),)
    return ()
