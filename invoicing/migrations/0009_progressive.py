"""Progressive billing: what an invoice takes off because it was billed before, in all and line by line.

The credits of an issued invoice are frozen with it, and credit notes give back no more of a line than it billed itself.
"""

import decimal
import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

CREDITABLE = """
CREATE OR REPLACE FUNCTION invoicing_check_credited() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    item record;
BEGIN
    SELECT line.amount - line.progressive_credit_amount AS billed, line.currency, note.currency AS credited_in,
           line.invoice_id = note.invoice_id AS belongs,
           (SELECT sum(every.amount) FROM invoicing_creditnoteitem every WHERE every.line_id = line.id) AS credited
      INTO item
      FROM invoicing_creditnoteitem part
      JOIN invoicing_invoiceline line ON line.id = part.line_id
      JOIN invoicing_creditnote note ON note.id = part.credit_note_id
     WHERE part.id = NEW.id;
    IF FOUND AND (item.credited > item.billed OR item.belongs IS NOT TRUE OR item.currency <> item.credited_in) THEN
        RAISE EXCEPTION 'line %: % credited of % billed', NEW.line_id, item.credited, item.billed
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION invoicing_check_credits_of_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_invoice' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'invoice_id')::bigint END;
    bill record;
    used numeric;
    taken_off numeric;
    credited numeric;
    corrected numeric;
BEGIN
    SELECT * INTO bill FROM invoicing_invoice WHERE id = checked;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(amount), 0) INTO used FROM invoicing_creditnoteuse WHERE invoice_id = checked;
    SELECT coalesce(sum(offset_amount) FILTER (WHERE status = 'finalized'), 0), coalesce(sum(total_amount), 0)
        INTO taken_off, credited FROM invoicing_creditnote WHERE invoice_id = checked;
    IF bill.credit_notes_amount <> used OR bill.offset_amount <> taken_off THEN
        RAISE EXCEPTION 'invoice %: credits % and offset % differ from the % and % of its credit notes',
            checked, bill.credit_notes_amount, bill.offset_amount, used, taken_off
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    -- A line below nothing lowers what the invoice comes to, not what may be given back of the others.
    SELECT coalesce(sum(amount + taxes_amount), 0) INTO corrected FROM invoicing_invoiceline
        WHERE invoice_id = checked AND amount < 0;
    IF credited > bill.fees_amount - bill.progressive_billing_credit_amount + bill.taxes_amount - corrected THEN
        RAISE EXCEPTION 'invoice %: % credited, more than was billed', checked, credited
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""

CREDITABLE_BEFORE = """
CREATE OR REPLACE FUNCTION invoicing_check_credited() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    item record;
BEGIN
    SELECT line.amount AS billed, line.currency, note.currency AS credited_in,
           line.invoice_id = note.invoice_id AS belongs,
           (SELECT sum(every.amount) FROM invoicing_creditnoteitem every WHERE every.line_id = line.id) AS credited
      INTO item
      FROM invoicing_creditnoteitem part
      JOIN invoicing_invoiceline line ON line.id = part.line_id
      JOIN invoicing_creditnote note ON note.id = part.credit_note_id
     WHERE part.id = NEW.id;
    IF FOUND AND (item.credited > item.billed OR item.belongs IS NOT TRUE OR item.currency <> item.credited_in) THEN
        RAISE EXCEPTION 'line %: % credited of % billed', NEW.line_id, item.credited, item.billed
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION invoicing_check_credits_of_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_invoice' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'invoice_id')::bigint END;
    bill record;
    used numeric;
    taken_off numeric;
    credited numeric;
    corrected numeric;
BEGIN
    SELECT * INTO bill FROM invoicing_invoice WHERE id = checked;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(amount), 0) INTO used FROM invoicing_creditnoteuse WHERE invoice_id = checked;
    SELECT coalesce(sum(offset_amount) FILTER (WHERE status = 'finalized'), 0), coalesce(sum(total_amount), 0)
        INTO taken_off, credited FROM invoicing_creditnote WHERE invoice_id = checked;
    IF bill.credit_notes_amount <> used OR bill.offset_amount <> taken_off THEN
        RAISE EXCEPTION 'invoice %: credits % and offset % differ from the % and % of its credit notes',
            checked, bill.credit_notes_amount, bill.offset_amount, used, taken_off
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    -- A line below nothing lowers what the invoice comes to, not what may be given back of the others.
    SELECT coalesce(sum(amount + taxes_amount), 0) INTO corrected FROM invoicing_invoiceline
        WHERE invoice_id = checked AND amount < 0;
    IF credited > bill.fees_amount + bill.taxes_amount - corrected THEN
        RAISE EXCEPTION 'invoice %: % credited, more than was billed', checked, credited
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""

FORWARD = """
CREATE FUNCTION invoicing_freeze_progressive_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM invoicing_refuse_unless_draft(OLD.invoice_id, 'credits'); END IF;
    IF TG_OP <> 'DELETE' THEN PERFORM invoicing_refuse_unless_draft(NEW.invoice_id, 'credits'); END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoicing_progressive_credit_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoicing_progressivecredit
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_progressive_credit();
"""

BACKWARD = """
DROP TRIGGER invoicing_progressive_credit_frozen ON invoicing_progressivecredit;
DROP FUNCTION invoicing_freeze_progressive_credit();
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0008_commitments")]

    operations = [
        migrations.CreateModel(
            name="ProgressiveCredit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="taken off"
                    ),
                ),
                (
                    "excess_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="given back"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="progressive_credits",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="progressively_credited",
                        to="invoicing.invoice",
                    ),
                ),
            ],
            options={
                "verbose_name": "progressive billing credit",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "source"), name="invoicing_progressive_credit"),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0), ("excess_amount__gte", 0)),
                        name="invoicing_progressive_credit_amount",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="progressive_credit_amount",
            field=djmoney.models.fields.MoneyField(
                currency_field_name="currency",
                decimal_places=4,
                default=decimal.Decimal,
                max_digits=20,
                verbose_name="billed progressively",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("progressive_credit_amount", 0),
                    models.Q(
                        ("progressive_credit_amount__gt", 0), ("progressive_credit_amount__lte", models.F("amount"))
                    ),
                    _connector="OR",
                ),
                name="invoicing_line_progressive",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(CREDITABLE, CREDITABLE_BEFORE),
    ]
