"""Indexes of what lists of the API show, in their order, with what they are narrowed by: pages far back are found, and
rows counted, without a look at the table. And small ones of what is rare."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

HIDDEN = Q(status__in=["closed", "open"]) | Q(number__isnull=True, status="voided")
LISTED = ~(Q(status="closed") | Q(number__isnull=True, status="voided")) & ~Q(status="open")
PARTLY_PAID = (
    "CREATE INDEX invoicing_invoice_partly_paid ON invoicing_invoice (issuing_date, created_at, id)"
    " WHERE paid_amount > 0 AND total_amount - paid_amount - offset_amount - written_off_amount > 0"
)


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0027_long_lists")]

    operations = [
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                fields=["-issuing_date", "-created_at", "-id"],
                include=(
                    "status",
                    "payment_status",
                    "kind",
                    "currency",
                    "billing_entity",
                    "payment_overdue",
                    "total_amount",
                ),
                condition=LISTED,
                name="invoicing_invoice_listed",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["id"], condition=HIDDEN, name="invoicing_invoice_hidden"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                fields=["issuing_date", "created_at", "id"],
                condition=Q(payment_dispute_lost_at__isnull=False),
                name="invoicing_invoice_lost",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                fields=["issuing_date", "created_at", "id"],
                condition=Q(offset_amount__gt=0),
                name="invoicing_invoice_offset",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["paid_at"], condition=Q(paid_at__isnull=False), name="invoicing_invoice_paid"),
        ),
        migrations.RunSQL(PARTLY_PAID, "DROP INDEX invoicing_invoice_partly_paid"),
        migrations.AddIndex(
            model_name="invoiceline",
            index=models.Index(
                fields=["created_at", "id"],
                include=("invoice", "kind", "item_code", "currency", "payment_status"),
                condition=Q(deleted_at__isnull=True),
                name="invoicing_line_listed",
            ),
        ),
        migrations.RemoveIndex(model_name="invoiceline", name="invoicing_line_recent"),
        migrations.AddIndex(
            model_name="invoiceline",
            index=models.Index(
                fields=["failed_at"], condition=Q(failed_at__isnull=False), name="invoicing_line_failed"
            ),
        ),
        migrations.AddIndex(
            model_name="invoiceline",
            index=models.Index(
                fields=["refunded_at"], condition=Q(refunded_at__isnull=False), name="invoicing_line_refunded"
            ),
        ),
        migrations.AddIndex(
            model_name="invoiceline",
            index=models.Index(
                fields=["succeeded_at"], condition=Q(succeeded_at__isnull=False), name="invoicing_line_succeeded"
            ),
        ),
        migrations.AddIndex(
            model_name="creditnote",
            index=models.Index(
                fields=["-created_at", "-id"], condition=Q(status="finalized"), name="invoicing_credit_note_listed"
            ),
        ),
    ]
