"""Spend caps of subscriptions: agreeing on one and giving it up. Owns these rows; how much is spent is found by
`alert_checks`. A cap refuses nothing: usage beyond it is taken in and billed as always.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from django.db import transaction

from billing.models import SpendCap, Subscription
from billing.queries import alerts as known
from billing.queries import reached_caps
from billing.services import alert_checks, alert_marks
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit


class InvalidCap(errors.Invalid):
    """A cap is an amount above nothing."""


@transaction.atomic
def agree(*, subscription: Subscription, amount_cents: int, actor: Actor, at: datetime) -> SpendCap:
    """Set the spend cap of a subscription: usage for a billing period, net, in minor units of its plan's currency.

    It goes for all subscriptions of the external id. Whether it is reached is seen at once; where the usage cannot be
    rated now, by the job that looks again. Setting the same again changes nothing. Raises InvalidCap
    (`value_is_out_of_range`).
    """
    if amount_cents <= 0:
        message = "A spend cap is an amount above nothing."
        raise InvalidCap("validation_errors", message, {"amount_cents": ["value_is_out_of_range"]})
    alert_marks.hold(subscription=subscription, at=at)
    cap, is_new = SpendCap.objects.get_or_create(
        customer_id=subscription.customer_id,
        external_subscription_id=subscription.external_id,
        defaults={"amount_cents": amount_cents, "created_at": at, "updated_at": at},
    )
    before = None if is_new else cap.amount_cents
    if before != amount_cents:
        cap.amount_cents, cap.updated_at = amount_cents, at
        cap.save(update_fields=["amount_cents", "updated_at"])
        audit.record(
            actor=actor,
            at=at,
            verb="set_spend_cap",
            instance=subscription,
            old={"spend_cap_cents": before},
            new={"spend_cap_cents": amount_cents},
        )
    with contextlib.suppress(errors.DomainError):  # it is marked to be looked at again
        alert_checks.evaluate(subscription=subscription, at=at)
    cap.refresh_from_db()
    return cap


@transaction.atomic
def give_up(*, subscription: Subscription, actor: Actor, at: datetime) -> SpendCap:
    """Take the spend cap from a subscription and return what it was. Raises NotFound (`spend_cap_not_found`)."""
    alert_marks.hold(subscription=subscription, at=at)
    cap = known.cap(subscription)
    if cap is None:
        message = f"No spend cap was agreed for {subscription.external_id}."
        raise errors.NotFound("spend_cap_not_found", message)
    SpendCap.objects.filter(pk=cap.pk).delete()
    audit.record(
        actor=actor,
        at=at,
        verb="remove_spend_cap",
        instance=subscription,
        old={"spend_cap_cents": cap.amount_cents},
    )
    transaction.on_commit(reached_caps.forget)
    return cap
