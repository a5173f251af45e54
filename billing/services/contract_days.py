"""What the days bring to contracts: phases that come next, renewals, ends, instalments of what is prepaid, commitments
whose term is over.

Owns the loop over contracts, each in its own transactions; what is done is the services' next door.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from billing.domain.renewals import Decision
from billing.models import Contract, ContractCommitment
from billing.queries import prepaid_commitments as known_prepaid
from billing.services import (
    contract_commitments,
    contract_next_terms,
    contract_rows,
    contract_subscriptions,
    prepaid_commitments,
)
from config.kernel import actors, dates
from config.kernel.actors import Actor
from config.platform.services import tellings

log = logging.getLogger(__name__)
_EASTERNMOST = timedelta(hours=14)


@dataclass
class Moved:
    """What a job did: phases scheduled, contracts renewed and ended, commitments settled, and what went wrong."""

    phases: int = 0
    renewed: int = 0
    ended: int = 0
    settled: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def run(*, as_of: datetime) -> Moved:
    """Do what is due of all contracts at the clock ``as_of``: a periodic job, any number of times.

    A contract that cannot be moved on is reported and does not stop the others.
    """
    actor, moved = actors.job("contracts"), Moved()
    rows = Contract.objects.filter(state=Contract.State.ACTIVE).order_by("pk")
    for pk, number in rows.values_list("pk", "number"):
        _try(moved, number, lambda pk=pk: _move(pk, moved, actor, as_of))  # type: ignore[misc]
    latest = dates.local_date(as_of + _EASTERNMOST, ZoneInfo("UTC"))
    prepaid = known_prepaid.unsettled(latest=latest)
    for pk, number in prepaid.values_list("pk", "contract__number"):
        _try(
            moved,
            number,
            lambda pk=pk: prepaid_commitments.move_on(commitment_id=pk, actor=actor, at=as_of),  # type: ignore[misc]
        )
    due = ContractCommitment.objects.filter(
        Q(ends_on__lt=latest) | Q(cut_on__lt=latest),
        kind=ContractCommitment.Kind.TERM,
        settled_at__isnull=True,
        contract__state__in=[Contract.State.ACTIVE, Contract.State.ENDED],
    )
    for pk, number in due.order_by("pk").values_list("pk", "contract__number"):
        _try(moved, number, lambda pk=pk: _settle(pk, moved, actor, as_of))  # type: ignore[misc]
    return moved


@transaction.atomic
@tellings.gathered
def move_on(*, contract_id: int, actor: Actor, at: datetime) -> tuple[Decision, int]:
    """Renew or end a contract if it is time, and schedule what comes next of its products. Idempotent.

    Returns what was decided about its term, and how many phases were scheduled.
    """
    decision = contract_next_terms.renew_or_end(contract_id=contract_id, actor=actor, at=at)
    contract = contract_rows.locked(contract_id)
    count = 0
    if contract.state in (Contract.State.ACTIVE, Contract.State.ENDED):
        for item in contract_rows.items(contract):
            count += contract_subscriptions.advance(contract=contract, item=item, actor=actor, at=at)
    return decision, count


def _move(contract_id: int, moved: Moved, actor: Actor, at: datetime) -> None:
    decision, count = move_on(contract_id=contract_id, actor=actor, at=at)
    moved.phases += count
    moved.renewed += decision is Decision.RENEW
    moved.ended += decision is Decision.END


def _settle(commitment_id: int, moved: Moved, actor: Actor, at: datetime) -> None:
    found = contract_commitments.settle(commitment_id=commitment_id, actor=actor, at=at)
    moved.settled += found.settled_at is not None


def _try(moved: Moved, number: str, verb: Callable[[], None]) -> None:
    try:
        verb()
    except Exception as error:
        log.exception("contract %s could not be moved on", number)
        moved.failed[number] = str(error)
