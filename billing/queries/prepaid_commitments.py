"""Prepaid commitments as readers want them: their instalments, the credit that these granted, and what drew on it.

Never writes.
"""

from __future__ import annotations

from collections.abc import Collection
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


def credits_of(commitment: ContractCommitment) -> list[PrepaidCredit]:
    """Return the credits of a commitment: what its instalments granted, and what was rolled over into it."""
    own = list(PrepaidCredit.objects.filter(instalment__commitment=commitment).order_by("pk"))
    if commitment.follows is None:
        return own
    before = [row.pk for row in credits_of(commitment.follows)]
    rolled = PrepaidCredit.objects.filter(rolled_from__in=before).order_by("pk")
    return [*rolled, *own]


def drawdown(commitment: ContractCommitment) -> Drawdown:
    """Return how far a commitment is now."""
    nothing = money.zero(commitment.currency)
    found = credits_of(commitment)
    invoiced = PrepaidInstalment.objects.filter(commitment=commitment)
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
    ids = [credit.pk for row in commitments for credit in credits_of(row)]
    rows = PrepaidCreditUse.objects.filter(credit__in=ids).select_related("credit", "invoice")
    return list(rows.order_by("-pk"))
