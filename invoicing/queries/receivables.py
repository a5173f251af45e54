"""What customers owe: open invoices, their age, and which have just become overdue. Never writes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import models
from django.db.models import DateField, DateTimeField, F, Func, Sum, Value
from django.db.models.functions import Cast
from django.db.models.lookups import LessThanOrEqual
from moneyed import Money

from config.kernel import dates, money
from invoicing.domain import ageing
from invoicing.models import Invoice

DUE = F("total_amount") - F("paid_amount") - F("offset_amount") - F("written_off_amount")
"""What is still to be paid of an issued invoice."""

UNDISPUTED = DUE - F("disputed_amount")
"""What of it nobody disputes: what is overdue once its day is over, and dunned."""


def open_invoices() -> models.QuerySet[Invoice]:
    """Return issued invoices that are not paid, the longest due first; not those of which the rest is written off."""
    return (
        Invoice.objects.filter(status=Invoice.Status.FINALIZED)
        .exclude(payment_status=Invoice.PaymentStatus.SUCCEEDED)
        .exclude(models.Q(written_off_amount__gt=0) & models.Q(LessThanOrEqual(DUE, Decimal(0))))
        .order_by("payment_due_date", "pk")
    )


def became_overdue(*, as_of: datetime) -> models.QuerySet[Invoice]:
    """Return open invoices whose due date is over in their own time zone and that are not marked yet.

    Not those of which all that is due is disputed, or whose dispute was lost.
    """
    # No zone is more than a day ahead of UTC, so the first condition, which an index knows, loses nothing.
    local_day = Cast(
        Func(
            F("timezone"), Value(as_of, output_field=DateTimeField()), function="timezone", output_field=DateTimeField()
        ),
        output_field=DateField(),
    )
    utc_day = dates.local_date(as_of, dates.zone("UTC"))
    return (
        open_invoices()
        .filter(payment_overdue=False, payment_due_date__lte=utc_day, payment_dispute_lost_at__isnull=True)
        .alias(local_day=local_day, undisputed=UNDISPUTED)
        .filter(payment_due_date__lt=F("local_day"))
        .filter(models.Q(disputed_amount=0) | models.Q(undisputed__gt=0))
    )


def due(*, currency: str | None = None) -> dict[str, Money]:
    """Return what is open in each currency."""
    rows = open_invoices()
    if currency is not None:
        rows = rows.filter(currency=currency)
    sums = rows.order_by().values("currency").annotate(due=Sum(DUE))
    return {row["currency"]: Money(row["due"], row["currency"]) for row in sums.order_by("currency")}


def by_age(*, as_of: datetime, billing_entity_id: int | None = None) -> dict[str, dict[str, Money]]:
    """Return open amounts by currency and age at the UTC day of ``as_of``; every bucket of `ageing.BUCKETS` is there.

    What is disputed stands apart. Summed in the database by due date, so that the cost follows the number of days and
    not of invoices. Of one seller where one is given.
    """
    sellers = {} if billing_entity_id is None else {"billing_entity": billing_entity_id}
    rows = (
        open_invoices()
        .filter(**sellers)
        .order_by()
        .values("currency", "payment_due_date")
        .annotate(due=Sum(UNDISPUTED), disputed=Sum("disputed_amount"))
        .order_by("currency", "payment_due_date")
    )
    return ageing.by_age(
        open_amounts=[(row["payment_due_date"], Money(row["due"], row["currency"])) for row in rows],
        today=as_of.astimezone(UTC).date(),
        disputed=[Money(row["disputed"], row["currency"]) for row in rows],
    )


def overdue_since(*, day: date) -> models.QuerySet[Invoice]:
    """Return open invoices that were due before a day."""
    return open_invoices().filter(payment_due_date__lt=day)


def owed(invoice: Invoice) -> Money:
    """Return what is due of one invoice: nothing unless it was issued, or is issued once it is paid."""
    if invoice.status not in {Invoice.Status.FINALIZED, Invoice.Status.OPEN}:
        return money.zero(invoice.currency)
    return invoice.total_amount - invoice.paid_amount - invoice.offset_amount - invoice.written_off_amount


def given_up(invoice: Invoice) -> bool:
    """Say whether nothing is due of an issued invoice because the rest of it is written off: nobody paid it."""
    is_paid = invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED
    is_issued = invoice.status == Invoice.Status.FINALIZED
    return is_issued and not is_paid and bool(invoice.written_off_amount) and not owed(invoice)


def undisputed(invoice: Invoice) -> Money:
    """Return what is due of one invoice and not disputed: what a customer is reminded of."""
    return owed(invoice) - invoice.disputed_amount


def remaining(invoice: Invoice) -> Money:
    """Return what is still to be paid of one invoice, a draft included: nothing of what was voided or closed."""
    if invoice.status in {Invoice.Status.VOIDED, Invoice.Status.CLOSED}:
        return money.zero(invoice.currency)
    return invoice.total_amount - invoice.paid_amount - invoice.offset_amount - invoice.written_off_amount
