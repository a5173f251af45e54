"""Contracts as readers want them: by their public id, in lists, those that come up for renewal, and who stands behind
their products. Never writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from billing.models import (
    Contract,
    ContractCommitment,
    ContractItem,
    ContractNotice,
    ContractPhase,
    Subscription,
)
from config.kernel import errors

Status = Subscription.Status
LIVING = (Status.PENDING, Status.ACTIVE, Status.PAUSED, Status.INCOMPLETE)
HORIZONS = (30, 60, 90)
"""In how many days contracts come up for renewal, as the work queue asks."""


class ContractNotFound(errors.NotFound):
    """There is no such contract."""


@dataclass(frozen=True)
class ContractFilter:
    """What a list is narrowed to; nothing given narrows nothing. ``ends_by`` is a last day."""

    external_customer_id: str | None = None
    states: Sequence[str] = ()
    ends_by: date | None = None


def search(wanted: ContractFilter) -> QuerySet[Contract]:
    """Return contracts, newest first, with all that is shown of them."""
    rows = with_content(Contract.objects.all())
    if wanted.external_customer_id is not None:
        rows = rows.filter(customer__external_id=wanted.external_customer_id)
    if wanted.states:
        rows = rows.filter(state__in=wanted.states)
    if wanted.ends_by is not None:
        rows = rows.filter(ends_on__lte=wanted.ends_by)
    return rows


def with_content(rows: QuerySet[Contract]) -> QuerySet[Contract]:
    """Bring along customer, terms, products with phases, commitments, amendments and notices."""
    phases = ContractPhase.objects.select_related("plan_version__plan", "own_version")
    commitments = ContractCommitment.objects.select_related("item", "line__invoice").prefetch_related("taxes")
    return rows.select_related("customer__billing_entity").prefetch_related(
        "terms",
        Prefetch("items__phases", queryset=phases),
        Prefetch("commitments", queryset=commitments),
        "amendments",
        "notices",
    )


def find(*, key: str) -> Contract:
    """Return a contract by its number, with its content. Raises ContractNotFound."""
    found = with_content(Contract.objects.filter(number=key)).first()
    if found is None:
        raise ContractNotFound("contract_not_found", f"There is no contract {key}.")
    return found


def to_renew(*, today: date, days: int) -> QuerySet[Contract]:
    """Return active contracts whose last term ends within so many days: what somebody has to talk about now.

    Those with notice given are among them: they end. The soonest first.
    """
    rows = Contract.objects.filter(
        state=Contract.State.ACTIVE, ends_on__gte=today, ends_on__lte=today + timedelta(days=days)
    )
    open_notice = ContractNotice.objects.filter(contract=OuterRef("pk"), withdrawn_at__isnull=True)
    rows = rows.annotate(is_noticed=Exists(open_notice)).select_related("customer__billing_entity")
    return rows.order_by("ends_on", "pk")


def notice(contract: Contract) -> ContractNotice | None:
    """Return the notice that stands, if there is one; one query unless notices are at hand."""
    return next((row for row in contract.notices.all() if row.withdrawn_at is None), None)


def living(item: ContractItem) -> Subscription | None:
    """Return the subscription that serves a product now, or waits for its start; no change that waits."""
    rows = Subscription.objects.filter(
        Q(status__in=(Status.ACTIVE, Status.PAUSED, Status.INCOMPLETE))
        | Q(status=Status.PENDING, previous__isnull=True),
        contract_item=item,
    )
    return rows.select_related("plan_version__plan", "customer__billing_entity").first()


def phases(item: ContractItem) -> list[ContractPhase]:
    """Return the phases of a product in their order, with their plan versions."""
    rows = ContractPhase.objects.filter(item=item).select_related("plan_version__plan", "own_version__plan")
    return list(rows.order_by("starts_on"))


def minimum(*, item: ContractItem, day: date) -> ContractCommitment | None:
    """Return what a product commits to for each of its periods on a day."""
    rows = ContractCommitment.objects.filter(
        item=item, kind=ContractCommitment.Kind.PERIOD, starts_on__lte=day, ends_on__gte=day
    )
    return rows.order_by("-pk").first()
