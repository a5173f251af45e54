"""Invoices that are issued once they are paid: frozen while they wait but for what issuing them sets."""

from django.db import migrations, models

NOW = """
CREATE OR REPLACE FUNCTION invoicing_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['status', 'payment_status', 'paid_amount', 'paid_at', 'payment_overdue', 'voided_at', 'updated_at', 'offset_amount'];
    issuing text[] := ARRAY['number', 'sequential_id', 'issuing_date', 'payment_due_date', 'finalized_at', 'snapshot'];
BEGIN
    IF OLD.status = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'invoice % is issued: DELETE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'open' AND NEW.status = 'finalized' THEN
        later := later || issuing;
    END IF;
    IF to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'invoice % is issued: UPDATE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND NOT (
        (OLD.status = 'finalized' AND NEW.status = 'voided') OR (OLD.status = 'open' AND NEW.status IN ('finalized', 'closed'))
    ) THEN
        RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""

BEFORE = """
CREATE OR REPLACE FUNCTION invoicing_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['status', 'payment_status', 'paid_amount', 'paid_at', 'payment_overdue', 'voided_at', 'updated_at', 'offset_amount'];
BEGIN
    IF OLD.status = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'invoice % is issued: DELETE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'invoice % is issued: UPDATE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND NOT (OLD.status = 'finalized' AND NEW.status = 'voided') THEN
        RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0009_progressive")]

    operations = [
        migrations.RunSQL(NOW, BEFORE),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "open"), _negated=True),
                    models.Q(("finalized_at__isnull", True), ("number__isnull", True)),
                    _connector="OR",
                ),
                name="invoicing_invoice_open_has_no_number",
            ),
        ),
    ]
