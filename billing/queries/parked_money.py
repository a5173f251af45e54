"""How much waits while an account is parked: what its rehearsal said, else its last invoice. Never writes."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery

from billing.models import ParkedAccount, RehearsedInvoice
from invoicing.models import Invoice


def with_money(rows: QuerySet[ParkedAccount]) -> QuerySet[ParkedAccount]:
    """Return parkings with ``rehearsed``, ``rehearsed_currency``, ``last`` and ``last_currency`` in major units.

    The largest invoice of the rehearsal that it was parked from, and the newest invoice that was issued to the
    customer; None where there is none. Two index look-ups for each row.
    """
    rehearsed = RehearsedInvoice.objects.filter(
        rehearsal=OuterRef("rehearsal"), customer=OuterRef("customer"), total_amount__isnull=False
    ).order_by("-total_amount", "pk")
    last = Invoice.objects.filter(
        customer=OuterRef("customer"), status=Invoice.Status.FINALIZED, kind=Invoice.Kind.SUBSCRIPTION
    ).order_by("-issuing_date", "-created_at", "-pk")
    return rows.annotate(
        rehearsed=Subquery(rehearsed.values("total_amount")[:1]),
        rehearsed_currency=Subquery(rehearsed.values("currency")[:1]),
        last=Subquery(last.values("total_amount")[:1]),
        last_currency=Subquery(last.values("currency")[:1]),
    )
