"""How billing runs begin: by the clock or by a person, and what may be billed then. Owns the installation's demand that
a run is signed off by a second person first.

With it nothing is billed by a run but rehearsals that were signed off; the clock makes a rehearsal where something is
due and none waits. What is billed at a start, an end or an event does not come from runs and goes on.
"""

from __future__ import annotations

from datetime import datetime

from billing.models import BillingRun, Rehearsal
from billing.queries import contracts
from billing.queries import rehearsals as known
from billing.services import rehearsal_billing, rehearsals, runs
from config.kernel import actors, errors
from config.kernel.actors import Actor
from config.platform.queries import installation

_JOB = actors.job("billing")


class SignOffRequired(errors.NotAllowed):
    """Billing runs need the consent of a second person here."""


def scheduled(*, as_of: datetime) -> BillingRun | None:
    """Bill what is due, or what was signed off of it: the periodic job. May be called any number of times."""
    if not installation.billing_needs_sign_off():
        return runs.run_scheduled(as_of=as_of)
    waiting = Rehearsal.objects.filter(state=Rehearsal.State.SIGNED_OFF, as_of__lte=as_of)
    run = None
    for row in list(waiting.order_by("as_of", "pk")):
        rehearsal_billing.ask(rehearsal_id=row.pk, actor=_JOB, at=as_of)
        run = rehearsal_billing.bill_asked(rehearsal_id=row.pk, at=as_of) or run
    if known.waiting_one(until=as_of) is None and next(contracts.due_customers(as_of=as_of), None) is not None:
        rehearsals.request(as_of=as_of, reason="Something is due.", actor=_JOB, at=as_of)
    return run


def started(*, as_of: datetime, trigger: str, actor: Actor) -> BillingRun:
    """Bill all that is due because a person asked for it. Raises SignOffRequired where runs are to be signed off."""
    demand_free()
    return runs.run(as_of=as_of, trigger=trigger, actor=actor)


def demand_free() -> None:
    """Raise SignOffRequired where a run may not be started without a rehearsal that was signed off."""
    if installation.billing_needs_sign_off():
        raise SignOffRequired(
            "sign_off_required", "Billing needs a second person here: rehearse the run and have it signed off."
        )
