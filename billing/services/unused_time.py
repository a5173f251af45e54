"""Unused time of a plan that was paid in advance: how much of its last fee is for time that never comes, and giving it
back. Owns finding that fee and the amounts; the credit note, with its tax, is invoicing's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from billing.domain import identity, unused_time
from billing.domain.unused_time import Unused
from billing.models import RatedCharge, Subscription
from billing.queries import contracts
from config.kernel import money
from config.kernel.actors import Actor
from invoicing.domain import taxed_lines
from invoicing.models import CreditNote, InvoiceLine
from invoicing.services import credit_notes

UnusedTime = Subscription.UnusedTime


@dataclass(frozen=True)
class Found:
    """A line that was billed in advance and what of it is not used."""

    line_id: int
    currency: str
    unused: Unused


def find(*, subscription: Subscription, ended_at: datetime, upgraded: bool = False) -> Found | None:
    """Return the unused part of the plan fee that covers the end; nothing where that was not billed in advance.

    Amounts are in major units before tax, unrounded; the price of a day is that of the time of billing.
    """
    if not subscription.plan_version.pay_in_advance:
        return None
    rows = RatedCharge.objects.filter(
        subscription=subscription,
        item_key=identity.item_key(),
        released_at__isnull=True,
        to_at__gt=ended_at,
    )
    rated = rows.select_related("line", "period").order_by("-to_at").first()
    if rated is None or rated.period is None or not rated.line.amount.amount:
        return None
    line = rated.line
    where = contracts.standing(subscription)
    cents = line.amount_details.get("plan_amount_cents")
    price = subscription.plan_version.amount if cents is None else money.from_minor(int(cents), line.currency)
    unused = unused_time.unused(
        where.schedule,
        ended_at=ended_at,
        upgraded=upgraded,
        trial_ends_at=where.trial_ends_at,
        price=price.amount,
        billed=line.agreed_amount.amount,
        billed_days=rated.period.days,
    )
    if line.tax_inclusive_amount is not None:
        unused = _net(unused, line)
    return Found(line.pk, line.currency, unused) if unused.amount else None


def _net(unused: Unused, line: InvoiceLine) -> Unused:
    """Return the unused part without the taxes that the price includes: credit notes are net."""
    amount, used = (
        taxed_lines.net_share(amount=part, gross=line.tax_inclusive_amount, net=line.amount.amount)
        for part in (unused.amount, unused.used)
    )
    return replace(unused, amount=amount, used=used)


def give_back(
    *, subscription: Subscription, ended_at: datetime, upgraded: bool, destination: str, actor: Actor, at: datetime
) -> CreditNote | None:
    """Give back the unused part of the plan fee by a credit note, if there is one to be made; return it.

    ``destination`` says where the money goes (credit, refund, offset); "skip" keeps it. An upgrade always credits.
    Raises what the credit note raises.
    """
    if destination == UnusedTime.SKIP:
        return None
    found = find(subscription=subscription, ended_at=ended_at, upgraded=upgraded)
    if found is None:
        return None
    return credit_notes.credit_unused(
        line_id=found.line_id,
        unused=found.unused.amount,
        used=found.unused.used,
        destination=destination,
        reason="order_change" if upgraded else "order_cancellation",
        actor=actor,
        at=at,
    )


def give_back_as_agreed(*, subscription: Subscription, actor: Actor, at: datetime) -> CreditNote | None:
    """Give back the unused part of the plan fee of a terminated subscription as its end said: see `give_back`.

    For a fee that was billed after the end. Nothing for one that is not terminated.
    """
    if subscription.terminated_at is None:
        return None
    upgraded = subscription.ended_by == Subscription.EndedBy.UPGRADE
    return give_back(
        subscription=subscription,
        ended_at=subscription.terminated_at,
        upgraded=upgraded,
        destination=UnusedTime.CREDIT if upgraded else subscription.on_termination_credit_note or UnusedTime.CREDIT,
        actor=actor,
        at=at,
    )
