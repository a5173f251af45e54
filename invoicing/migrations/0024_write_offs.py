"""Amounts that are written off, and what of an issued invoice may change then."""

import decimal
import uuid

import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

_BEFORE = (
    "'status', 'payment_status', 'paid_amount', 'paid_at', 'payment_overdue', 'voided_at', 'updated_at', "
    "'offset_amount', 'payment_dispute_lost_at', 'disputed_amount'"
)

FREEZE = """
CREATE OR REPLACE FUNCTION invoicing_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY[{later}];
    issuing text[] := ARRAY['number', 'sequential_id', 'issuing_date', 'payment_due_date', 'finalized_at', 'snapshot'];
BEGIN
    IF OLD.status IN ('draft', 'pending', 'failed') THEN
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

CHECKS = """
CREATE TRIGGER invoicing_writeoff_append_only BEFORE UPDATE OR DELETE ON invoicing_writeoff
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_writeoffreversal_append_only BEFORE UPDATE OR DELETE ON invoicing_writeoffreversal
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();

CREATE FUNCTION invoicing_check_written_off() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint;
    said numeric;
    found numeric;
BEGIN
    checked := CASE TG_TABLE_NAME
        WHEN 'invoicing_invoice' THEN (to_jsonb(NEW) ->> 'id')::bigint
        WHEN 'invoicing_writeoff' THEN (to_jsonb(NEW) ->> 'invoice_id')::bigint
        ELSE (SELECT invoice_id FROM invoicing_writeoff WHERE id = (to_jsonb(NEW) ->> 'write_off_id')::bigint) END;
    SELECT written_off_amount INTO said FROM invoicing_invoice WHERE id = checked;
    SELECT coalesce(sum(row.amount - coalesce(back.amount, 0)), 0) INTO found
        FROM invoicing_writeoff row LEFT JOIN invoicing_writeoffreversal back ON back.write_off_id = row.id
        WHERE row.invoice_id = checked;
    IF said <> found THEN
        RAISE EXCEPTION 'invoice %: written off % differs from its write-offs %', checked, said, found
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_invoice_written_off_sum AFTER UPDATE OF written_off_amount ON invoicing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.written_off_amount IS DISTINCT FROM NEW.written_off_amount)
    EXECUTE FUNCTION invoicing_check_written_off();
CREATE CONSTRAINT TRIGGER invoicing_writeoff_sum AFTER INSERT ON invoicing_writeoff
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_written_off();
CREATE CONSTRAINT TRIGGER invoicing_writeoffreversal_sum AFTER INSERT ON invoicing_writeoffreversal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_written_off();
"""
NO_CHECKS = """
DROP TRIGGER invoicing_invoice_written_off_sum ON invoicing_invoice;
DROP TRIGGER invoicing_writeoff_sum ON invoicing_writeoff;
DROP TRIGGER invoicing_writeoffreversal_sum ON invoicing_writeoffreversal;
DROP FUNCTION invoicing_check_written_off();
DROP TRIGGER invoicing_writeoff_append_only ON invoicing_writeoff;
DROP TRIGGER invoicing_writeoffreversal_append_only ON invoicing_writeoffreversal;
"""
FORWARD = FREEZE.replace("{later}", f"{_BEFORE}, 'written_off_amount'") + CHECKS
BACKWARD = NO_CHECKS + FREEZE.replace("{later}", _BEFORE)


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0023_receipts")]

    operations = [
        migrations.CreateModel(
            name="WriteOff",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="written off"
                    ),
                ),
                ("reason", models.TextField()),
                ("idempotency_key", models.CharField(editable=False, max_length=255, null=True, unique=True)),
            ],
            options={
                "verbose_name": "write-off",
                "verbose_name_plural": "write-offs",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="WriteOffReversal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="owed again"
                    ),
                ),
                ("reason", models.TextField()),
            ],
            options={
                "verbose_name": "reversal of a write-off",
                "verbose_name_plural": "reversals of write-offs",
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoicing_invoice_paid",
        ),
        migrations.AddField(
            model_name="invoice",
            name="written_off_amount",
            field=djmoney.models.fields.MoneyField(
                currency_field_name="currency",
                decimal_places=4,
                default=decimal.Decimal,
                max_digits=20,
                verbose_name="written off",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("offset_amount__gte", 0),
                    ("paid_amount__gte", 0),
                    (
                        "paid_amount__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("total_amount"), "-", models.F("offset_amount")
                            ),
                            "-",
                            models.F("written_off_amount"),
                        ),
                    ),
                    ("written_off_amount__gte", 0),
                ),
                name="invoicing_invoice_paid",
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="write_offs", to="invoicing.invoice"
            ),
        ),
        migrations.AddField(
            model_name="writeoffreversal",
            name="write_off",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="reversal", to="invoicing.writeoff"
            ),
        ),
        migrations.AddIndex(
            model_name="writeoff",
            index=models.Index(fields=["-created_at", "-id"], name="invoicing_writeoff_at"),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="invoicing_writeoff_amount"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
