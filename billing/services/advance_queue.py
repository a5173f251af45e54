"""The queue of events that are paid in advance, where corrections touch it. Owns what becomes of an event that is taken
back, or put back; billing the queue is `advance_events`'.
"""

from __future__ import annotations

from datetime import datetime

from billing.models import AdvanceEvent, RatedCharge
from catalog.models import Charge
from config.kernel import jobs


def correct(
    *, external_subscription_id: str, transaction_id: str, code: str, timestamp: datetime, puts_back: bool
) -> None:
    """Note that a correction took an event out of the usage, or put it back, in the caller's transaction.

    One that waits still is not billed at all. One that was billed stays billed, and its units go: what takes its place
    is free up to them. Put back, its units are there again, and a fee is made only if there was none. Codes that no
    charge bills in advance cost one query. Call it before what takes the event's place is stored.
    """
    if not Charge.objects.filter(pay_in_advance=True, metric__event_code=code).exists():
        return
    of_event = AdvanceEvent.objects.filter(
        external_subscription_id=external_subscription_id, transaction_id=transaction_id
    )
    waited, _ = of_event.filter(withdraws=puts_back).delete()
    if waited:
        return
    billed = RatedCharge.objects.filter(
        subscription__external_id=external_subscription_id, line__event_transaction_id=transaction_id
    )
    if puts_back or billed.exists():
        AdvanceEvent.objects.create(
            external_subscription_id=external_subscription_id,
            transaction_id=transaction_id,
            code=code,
            timestamp=timestamp,
            withdraws=not puts_back,
        )
        jobs.enqueue("billing.tasks.bill_advance_events", external_ids=[external_subscription_id])
