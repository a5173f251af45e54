"""Lines that stand alone: their event, their payments, and the triggers that freeze them.

A line without an invoice is frozen when it is made. What may change is how it was paid, that it was taken back, and,
once, the draft of paid lines on which it is put.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

FORWARD = """
CREATE OR REPLACE FUNCTION invoicing_freeze_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['payment_status', 'succeeded_at', 'failed_at', 'refunded_at', 'deleted_at'];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM invoicing_refuse_unless_draft(OLD.invoice_id, 'lines');
        IF OLD.invoice_id IS NULL THEN
            IF TG_OP = 'DELETE' THEN
                RAISE EXCEPTION 'line % stands alone: DELETE refused', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            IF NEW.invoice_id IS NOT NULL THEN
                IF NOT EXISTS (
                    SELECT 1 FROM invoicing_invoice
                    WHERE id = NEW.invoice_id AND status = 'draft' AND kind = 'advance_charges'
                ) THEN
                    RAISE EXCEPTION 'line % stands alone: invoice % does not take it', OLD.id, NEW.invoice_id
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                later := later || ARRAY['invoice_id', 'position'];
            END IF;
            IF to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
                RAISE EXCEPTION 'line % stands alone: UPDATE refused', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN PERFORM invoicing_refuse_unless_draft(NEW.invoice_id, 'lines'); END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION invoicing_refuse_standalone_tax() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taxed record;
BEGIN
    SELECT invoice_id, taxes_rate INTO taxed FROM invoicing_invoiceline
        WHERE id = CASE WHEN TG_OP = 'INSERT' THEN NEW.line_id ELSE OLD.line_id END;
    IF FOUND AND taxed.invoice_id IS NULL AND (
        TG_OP <> 'INSERT'
        OR NEW.rate + (SELECT coalesce(sum(rate), 0) FROM invoicing_linetax WHERE line_id = NEW.line_id)
            > taxed.taxes_rate
    ) THEN
        RAISE EXCEPTION 'line % stands alone: its taxes are frozen',
            CASE WHEN TG_OP = 'INSERT' THEN NEW.line_id ELSE OLD.line_id END
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoicing_line_tax_standalone BEFORE INSERT OR UPDATE OR DELETE ON invoicing_linetax
    FOR EACH ROW EXECUTE FUNCTION invoicing_refuse_standalone_tax();

CREATE TRIGGER invoicing_line_payment_append_only BEFORE UPDATE OR DELETE ON invoicing_linepayment
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""

BACKWARD = """
DROP TRIGGER invoicing_line_payment_append_only ON invoicing_linepayment;
DROP TRIGGER invoicing_line_tax_standalone ON invoicing_linetax;
DROP FUNCTION invoicing_refuse_standalone_tax();
CREATE OR REPLACE FUNCTION invoicing_freeze_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM invoicing_refuse_unless_draft(OLD.invoice_id, 'lines'); END IF;
    IF TG_OP <> 'DELETE' THEN PERFORM invoicing_refuse_unless_draft(NEW.invoice_id, 'lines'); END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
"""

_STATUSES = [
    ("", "that of the invoice"),
    ("pending", "pending"),
    ("succeeded", "paid"),
    ("failed", "failed"),
    ("refunded", "refunded"),
]


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0004_prices")]
    operations = [
        migrations.AddField(
            model_name="invoiceline",
            name="event_transaction_id",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="deleted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="invoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(("deleted_at__isnull", True), ("invoice__isnull", True), _connector="OR"),
                name="invoicing_line_standalone_deleted",
            ),
        ),
        migrations.AddIndex(
            model_name="invoiceline",
            index=models.Index(
                condition=models.Q(("event_transaction_id__isnull", False)),
                fields=["event_transaction_id"],
                name="invoicing_line_event",
            ),
        ),
        migrations.AddIndex(
            model_name="invoiceline",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True), ("invoice__isnull", True)),
                fields=["payment_status", "succeeded_at"],
                name="invoicing_line_standalone",
            ),
        ),
        migrations.CreateModel(
            name="LinePayment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("status", models.CharField(choices=_STATUSES, max_length=16)),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="invoicing.invoiceline",
                    ),
                ),
            ],
            options={
                "verbose_name": "payment status of a line",
                "verbose_name_plural": "payment statuses of lines",
                "ordering": ["id"],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
