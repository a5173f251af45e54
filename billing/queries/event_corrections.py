"""Finding corrections of events: lists, and everything that happened to one event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import QuerySet

from billing.models import EventCorrection
from invoicing.models import Invoice, InvoiceLine

_LONGEST = 50


def listed(*, external_subscription_id: str | None = None, corrects: str | None = None) -> QuerySet[EventCorrection]:
    """Return corrections, newest first."""
    given = {"external_subscription_id": external_subscription_id, "corrects": corrects}
    return EventCorrection.objects.filter(**{name: value for name, value in given.items() if value is not None})


def fees(*, events: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[InvoiceLine]]:
    """Return the fees that billed events in advance, which stand whatever corrects the events. One query.

    Events are named, and answered, by external subscription id and transaction id.
    """
    rows = InvoiceLine.objects.filter(
        event_transaction_id__in={transaction_id for _, transaction_id in events},
        rated_charge__subscription__external_id__in={external_id for external_id, _ in events},
        deleted_at__isnull=True,
    ).exclude(invoice__status=Invoice.Status.VOIDED)
    found: dict[tuple[str, str], list[InvoiceLine]] = defaultdict(list)
    for row in rows.select_related("rated_charge__subscription", "invoice").order_by("pk"):
        found[row.rated_charge.subscription.external_id, row.event_transaction_id].append(row)
    return found


def chain(*, external_subscription_id: str, transaction_id: str) -> list[EventCorrection]:
    """Return what happened to an event, oldest first: what it replaced, and what replaced it or put it back.

    Follows the corrections from the event in both directions, fifty of them at most.
    """
    found: dict[int, EventCorrection] = {}
    names, seen = {transaction_id}, set()
    while names and len(found) < _LONGEST:
        rows = EventCorrection.objects.filter(external_subscription_id=external_subscription_id)
        seen |= names
        linked = [*rows.filter(corrects__in=names), *rows.filter(transaction_id__in=names)]
        found |= {row.pk: row for row in linked}
        names = {name for row in linked for name in (row.corrects, row.transaction_id)} - seen
    return sorted(found.values(), key=lambda row: (row.created_at, row.pk))
