"""What came of it, in a few words: the invoices by currency and payment, the e-mails."""

from __future__ import annotations

from pathlib import Path

from django.db.models import Count, Q, Sum

from invoicing.models import Invoice

_PAID = Q(payment_status=Invoice.PaymentStatus.SUCCEEDED)
_PARTLY = Q(paid_amount__gt=0) & ~_PAID


def invoices() -> str:
    """Return the number of finalized invoices, how they stand, and what they come to in each currency."""
    finalized = Invoice.objects.filter(status=Invoice.Status.FINALIZED).order_by()
    counts = finalized.aggregate(
        every=Count("pk"),
        paid=Count("pk", filter=_PAID),
        partly=Count("pk", filter=_PARTLY),
        overdue=Count("pk", filter=Q(payment_overdue=True)),
    )
    sums = finalized.values("currency").annotate(total=Sum("total_amount")).order_by("currency")
    amounts = ", ".join(f"{row['currency']} {row['total']:,.2f}" for row in sums)
    stand = f"{counts['paid']} paid, {counts['partly']} paid in part, {counts['overdue']} overdue"
    return f"{counts['every']} finalized ({amounts}): {stand}"


def mails(folder: Path) -> int:
    """Count the messages that were written to a folder."""
    return sum(1 for _ in folder.glob("*.eml"))
