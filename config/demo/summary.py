"""What came of it, in a few words: the sample's invoices by currency and payment, and their e-mails."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Q, QuerySet, Sum

from invoicing.models import Delivery, Invoice

_PAID = Q(payment_status=Invoice.PaymentStatus.SUCCEEDED)
_PARTLY = Q(paid_amount__gt=0) & ~_PAID


def invoices(*, external_ids: Collection[str]) -> str:
    """Return the number of finalized invoices, how they stand, and what they come to in each currency."""
    finalized = _finalized(external_ids)
    counts = finalized.aggregate(
        every=Count("pk"),
        paid=Count("pk", filter=_PAID),
        partly=Count("pk", filter=_PARTLY),
        overdue=Count("pk", filter=Q(payment_overdue=True)),
    )
    sums = finalized.values("currency").annotate(total=Sum("total_amount")).order_by("currency")
    amounts = ", ".join(f"{row['currency']} {row['total']:,.2f}" for row in sums)
    unpaid = counts["every"] - counts["paid"] - counts["partly"]
    stand = f"{counts['paid']} paid, {counts['partly']} paid in part, {unpaid} not paid"
    return f"{counts['every']} finalized ({amounts}): {stand}; {counts['overdue']} of the open ones are overdue"


def mails(*, external_ids: Collection[str]) -> str:
    """Return how many invoices went out by e-mail, and how many have nowhere to go."""
    invoiced = _finalized(external_ids)
    sent = Delivery.objects.filter(state=Delivery.State.SENT, invoice__in=invoiced).values("invoice").distinct().count()
    homeless = invoiced.filter(customer__email="").count()
    return f"{sent} sent; {homeless} invoices are of a customer without an e-mail address"


def _finalized(external_ids: Collection[str]) -> QuerySet[Invoice]:
    found = Invoice.objects.filter(status=Invoice.Status.FINALIZED, customer__external_id__in=external_ids)
    return found.order_by()
