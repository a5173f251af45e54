"""Prepaid commitments as readers want them: their instalments, the credit that these granted, and what drew on it.

Never writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from moneyed import Money

from billing.domain import prepaid_instalments
from billing.domain.contract_terms import Span
from billing.domain.prepaid_instalments import Instalment, Rhythm
from billing.models import Contract, ContractCommitment, PrepaidInstalment
from config.kernel import money
from invoicing.models import PrepaidCredit, PrepaidCreditUse


@dataclass(frozen=True, slots=True)
class Drawdown:
    """How far a prepaid commitment is: invoiced, granted (with what was rolled over into it), used, closed and left.

    ``closed`` is what was left at the end: it expired, or went on in the commitment that follows.
    """

    committed: Money
    invoiced: Money
    granted: Money
    used: Money
    closed: Money
    left: Money


def unsettled(*, latest: date) -> QuerySet[ContractCommitment]:
    """Return prepaid commitments that have begun by a day and may have something to be done."""
    return ContractCommitment.objects.filter(
        kind=ContractCommitment.Kind.PREPAID,
        settled_at__isnull=True,
        starts_on__lte=latest,
        contract__state__in=[Contract.State.ACTIVE, Contract.State.ENDED],
    ).order_by("pk")


def planned(commitment: ContractCommitment) -> list[Instalment]:
    """Return the instalments of a commitment as they were agreed."""
    return prepaid_instalments.plan(
        amount=commitment.amount,
        span=Span(commitment.starts_on, commitment.ends_on),
        rhythm=Rhythm(commitment.instalments),
    )


def credits_by(commitments: Collection[ContractCommitment]) -> dict[int, list[PrepaidCredit]]:
    """Return the credits of each commitment by its key: what its instalments granted, and what rolled over into it.

    Three queries, however many.
    """
    contracts = {row.contract_id for row in commitments}
    if not contracts:
        return {}
    every = ContractCommitment.objects.filter(contract__in=contracts, kind=ContractCommitment.Kind.PREPAID)
    follows = dict(every.values_list("pk", "follows_id"))
    own: dict[int, list[PrepaidCredit]] = defaultdict(list)
    granted = PrepaidCredit.objects.filter(instalment__commitment__contract__in=contracts)
    for credit in granted.select_related("instalment").order_by("pk"):
        own[credit.instalment.commitment_id].append(credit)
    into = {
        row.rolled_from_id: row
        for row in PrepaidCredit.objects.filter(rolled_from__isnull=False, customer__contracts__in=contracts)
    }

    def of(key: int | None) -> list[PrepaidCredit]:
        if key is None:
            return []
        rolled = (into.get(before.pk) for before in of(follows.get(key)))
        return [*sorted((row for row in rolled if row is not None), key=lambda row: row.pk), *own[key]]

    return {row.pk: of(row.pk) for row in commitments}


def credits_of(commitment: ContractCommitment) -> list[PrepaidCredit]:
    """Return the credits of a commitment. Three queries."""
    return credits_by([commitment])[commitment.pk]


def drawdown(commitment: ContractCommitment) -> Drawdown:
    """Return how far a commitment is now."""
    return drawdowns([commitment])[commitment.pk]


def drawdowns(commitments: Collection[ContractCommitment]) -> dict[int, Drawdown]:
    """Return how far commitments are now, by their keys. Four queries, however many."""
    if not commitments:
        return {}
    found = credits_by(commitments)
    invoiced: dict[int, list[PrepaidInstalment]] = defaultdict(list)
    for row in PrepaidInstalment.objects.filter(commitment__in=commitments):
        invoiced[row.commitment_id].append(row)
    return {row.pk: _drawdown(row, found[row.pk], invoiced[row.pk]) for row in commitments}


def _drawdown(
    commitment: ContractCommitment, found: Sequence[PrepaidCredit], invoiced: Sequence[PrepaidInstalment]
) -> Drawdown:
    nothing = money.zero(commitment.currency)
    return Drawdown(
        committed=commitment.amount,
        invoiced=sum((row.amount for row in invoiced), nothing),
        granted=sum((row.amount for row in found), nothing),
        used=sum((row.used_amount for row in found), nothing),
        closed=sum((row.closed_amount for row in found), nothing),
        left=sum((row.left for row in found), nothing),
    )


def uses(commitments: Collection[ContractCommitment]) -> list[PrepaidCreditUse]:
    """Return what drew on commitments, the newest first, with the invoices."""
    ids = [credit.pk for found in credits_by(commitments).values() for credit in found]
    rows = PrepaidCreditUse.objects.filter(credit__in=ids).select_related("credit", "invoice")
    return list(rows.order_by("-pk"))
