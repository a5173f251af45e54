"""Trying an e-mail again that was given up: to the same addresses, as if it had just been asked for."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel import db, errors, jobs
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.models import Delivery


class NotGivenUp(errors.NotAllowed):
    """The e-mail was sent, or is tried again by itself."""


def check(*, delivery: Delivery) -> None:
    """Ask whether an e-mail can be tried again. Raises NotGivenUp (`delivery_not_failed`)."""
    if delivery.state != Delivery.State.FAILED:
        raise NotGivenUp("delivery_not_failed", "Only an e-mail that failed for good is tried again.")


@transaction.atomic
def repeat(*, delivery_id: int, actor: Actor, at: datetime) -> Delivery:
    """Make an e-mail due at once that was given up, with all its attempts before it. What it said last is forgotten.

    Raises NotFound (`delivery_not_found`) and NotGivenUp (`delivery_not_failed`): so of two calls one does it.
    """
    try:
        delivery = db.lock_one(Delivery.objects.filter(pk=delivery_id))
    except Delivery.DoesNotExist as error:
        raise errors.NotFound("delivery_not_found", "There is no such delivery.") from error
    check(delivery=delivery)
    old = {"state": delivery.state, "attempts": delivery.attempts, "error": delivery.error}
    delivery.state, delivery.attempts, delivery.error = Delivery.State.PENDING, 0, ""
    delivery.next_attempt_at = at
    delivery.save(update_fields=["state", "attempts", "error", "next_attempt_at"])
    audit.record(actor=actor, at=at, verb="repeat", instance=delivery, old=old, new={"state": delivery.state})
    jobs.enqueue("invoicing.tasks.send_delivery", delivery_id=delivery.pk)
    return delivery
