"""Credit notes: their tables, the columns of invoices that sum them, and the triggers that hold them.

What is issued is frozen but for its later life. Sums that several rows must agree on are checked when the transaction
ends: items against lines, balances against uses, invoices against what credit notes took off them.
"""

import decimal
import uuid

import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FREEZE = """
CREATE OR REPLACE FUNCTION invoicing_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY[{later}];
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
BEFORE = "'status', 'payment_status', 'paid_amount', 'paid_at', 'payment_overdue', 'voided_at', 'updated_at'"
NOW = BEFORE + ", 'offset_amount'"

FORWARD = """
CREATE FUNCTION invoicing_freeze_credit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['credit_status', 'refund_status', 'balance_amount', 'refunded_at', 'voided_at', 'metadata',
                          'updated_at'];
BEGIN
    IF OLD.status = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'credit note % is issued: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_credit_note_frozen BEFORE UPDATE OR DELETE ON invoicing_creditnote
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_credit_note();

CREATE FUNCTION invoicing_freeze_credit_note_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    note bigint;
BEGIN
    FOREACH note IN ARRAY CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.credit_note_id]
                                     WHEN 'DELETE' THEN ARRAY[OLD.credit_note_id]
                                     ELSE ARRAY[OLD.credit_note_id, NEW.credit_note_id] END LOOP
        IF EXISTS (SELECT 1 FROM invoicing_creditnote WHERE id = note AND status <> 'draft') THEN
            RAISE EXCEPTION 'credit note % is issued: its parts are frozen', note
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoicing_credit_note_item_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoicing_creditnoteitem
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_credit_note_part();
CREATE TRIGGER invoicing_credit_note_tax_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoicing_creditnotetax
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_credit_note_part();

CREATE FUNCTION invoicing_freeze_credit_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'use % of a credit is booked: % refused', OLD.id, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER invoicing_credit_use_frozen BEFORE UPDATE OR DELETE ON invoicing_creditnoteuse
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_credit_use();

CREATE FUNCTION invoicing_check_credited() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE CONSTRAINT TRIGGER invoicing_credit_note_item_sum AFTER INSERT OR UPDATE ON invoicing_creditnoteitem
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_credited();

CREATE FUNCTION invoicing_check_credit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_creditnote' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'credit_note_id')::bigint END;
    note record;
    used numeric;
    items numeric;
BEGIN
    SELECT * INTO note FROM invoicing_creditnote WHERE id = checked;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(amount), 0) INTO used FROM invoicing_creditnoteuse WHERE credit_note_id = checked;
    IF note.credit_status <> 'voided' AND note.balance_amount <> note.credit_amount - used THEN
        RAISE EXCEPTION 'credit note %: balance % differs from credit % less % used',
            checked, note.balance_amount, note.credit_amount, used USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF used > note.credit_amount OR (used > 0 AND note.status <> 'finalized') THEN
        RAISE EXCEPTION 'credit note %: % used of %', checked, used, note.credit_amount
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT coalesce(sum(amount), 0) INTO items FROM invoicing_creditnoteitem WHERE credit_note_id = checked;
    IF items - note.coupons_adjustment_amount <> note.sub_total_amount THEN
        RAISE EXCEPTION 'credit note %: net % differs from its items %', checked, note.sub_total_amount, items
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_credit_note_sums AFTER INSERT OR UPDATE ON invoicing_creditnote
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_credit_note();
CREATE CONSTRAINT TRIGGER invoicing_credit_use_sums AFTER INSERT OR UPDATE ON invoicing_creditnoteuse
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_credit_note();

CREATE FUNCTION invoicing_check_credits_of_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE CONSTRAINT TRIGGER invoicing_invoice_credits AFTER UPDATE OF credit_notes_amount, offset_amount
    ON invoicing_invoice DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.credit_notes_amount <> NEW.credit_notes_amount OR OLD.offset_amount <> NEW.offset_amount)
    EXECUTE FUNCTION invoicing_check_credits_of_invoice();
CREATE CONSTRAINT TRIGGER invoicing_credit_use_invoice AFTER INSERT ON invoicing_creditnoteuse
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_credits_of_invoice();
CREATE CONSTRAINT TRIGGER invoicing_credit_note_invoice AFTER INSERT OR UPDATE ON invoicing_creditnote
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_credits_of_invoice();
"""

BACKWARD = """
DROP TRIGGER invoicing_credit_note_invoice ON invoicing_creditnote;
DROP TRIGGER invoicing_credit_use_invoice ON invoicing_creditnoteuse;
DROP TRIGGER invoicing_invoice_credits ON invoicing_invoice;
DROP FUNCTION invoicing_check_credits_of_invoice();
DROP TRIGGER invoicing_credit_use_sums ON invoicing_creditnoteuse;
DROP TRIGGER invoicing_credit_note_sums ON invoicing_creditnote;
DROP FUNCTION invoicing_check_credit_note();
DROP TRIGGER invoicing_credit_note_item_sum ON invoicing_creditnoteitem;
DROP FUNCTION invoicing_check_credited();
DROP TRIGGER invoicing_credit_use_frozen ON invoicing_creditnoteuse;
DROP FUNCTION invoicing_freeze_credit_use();
DROP TRIGGER invoicing_credit_note_tax_frozen ON invoicing_creditnotetax;
DROP TRIGGER invoicing_credit_note_item_frozen ON invoicing_creditnoteitem;
DROP FUNCTION invoicing_freeze_credit_note_part();
DROP TRIGGER invoicing_credit_note_frozen ON invoicing_creditnote;
DROP FUNCTION invoicing_freeze_credit_note();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_offers"),
        ("customers", "0001_initial"),
        ("invoicing", "0005_standalone_lines"),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("finalized", "issued")], default="draft", max_length=16
                    ),
                ),
                ("number", models.CharField(blank=True, editable=False, max_length=80, null=True)),
                ("sequential_id", models.PositiveIntegerField(editable=False, null=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("duplicated_charge", "charged twice"),
                            ("product_unsatisfactory", "product unsatisfactory"),
                            ("order_change", "change of the order"),
                            ("order_cancellation", "cancellation of the order"),
                            ("fraudulent_charge", "fraudulent charge"),
                            ("other", "other"),
                        ],
                        max_length=32,
                    ),
                ),
                ("description", models.TextField(blank=True, default="")),
                (
                    "credit_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "no credit"),
                            ("available", "available"),
                            ("consumed", "used up"),
                            ("voided", "voided"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "refund_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "no refund"),
                            ("pending", "pending"),
                            ("succeeded", "refunded"),
                            ("failed", "failed"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "sub_total_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="net"
                    ),
                ),
                (
                    "coupons_adjustment_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="coupons",
                    ),
                ),
                (
                    "taxes_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="tax"
                    ),
                ),
                ("precise_taxes_amount", models.DecimalField(decimal_places=15, max_digits=40)),
                ("taxes_rate", models.DecimalField(decimal_places=8, max_digits=12)),
                (
                    "total_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="total"
                    ),
                ),
                (
                    "credit_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="credit"
                    ),
                ),
                (
                    "refund_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="refund"
                    ),
                ),
                (
                    "offset_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="offset"
                    ),
                ),
                (
                    "balance_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="balance"
                    ),
                ),
                ("timezone", models.CharField(max_length=64)),
                ("issuing_date", models.DateField()),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "idempotency_key",
                    models.CharField(blank=True, editable=False, max_length=255, null=True, unique=True),
                ),
                ("finalized_at", models.DateTimeField(editable=False, null=True)),
                ("refunded_at", models.DateTimeField(editable=False, null=True)),
                ("voided_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                ("snapshot", models.JSONField(default=dict, editable=False)),
            ],
            options={
                "verbose_name": "credit note",
                "ordering": ["-issuing_date", "-created_at", "-id"],
                "permissions": [
                    ("void_creditnote", "Can void credit note"),
                    ("refund_creditnote", "Can tell a refund"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditNoteItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                ("precise_amount", models.DecimalField(decimal_places=15, max_digits=40)),
            ],
            options={
                "verbose_name": "credit note item",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="CreditNoteTax",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("tax_code", models.CharField(max_length=255)),
                ("tax_name", models.CharField(max_length=255)),
                ("tax_description", models.TextField(blank=True, default="")),
                ("rate", models.DecimalField(decimal_places=8, max_digits=12)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "base_amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
            ],
            options={
                "verbose_name": "credit note tax",
                "verbose_name_plural": "credit note taxes",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="CreditNoteUse",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
            ],
            options={
                "verbose_name": "use of a credit",
                "verbose_name_plural": "uses of credits",
                "ordering": ["id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoicing_invoice_total",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoicing_invoice_paid",
        ),
        migrations.AddField(
            model_name="invoice",
            name="credit_notes_amount",
            field=djmoney.models.fields.MoneyField(
                currency_field_name="currency",
                decimal_places=4,
                default=decimal.Decimal,
                max_digits=20,
                verbose_name="credits",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="offset_amount",
            field=djmoney.models.fields.MoneyField(
                currency_field_name="currency",
                decimal_places=4,
                default=decimal.Decimal,
                max_digits=20,
                verbose_name="offset",
            ),
        ),
        migrations.AlterField(
            model_name="ledgeraccount",
            name="role",
            field=models.CharField(
                choices=[
                    ("receivable", "receivable"),
                    ("revenue", "revenue"),
                    ("tax", "tax payable"),
                    ("cash", "cash"),
                    ("customer_credit", "customer credit"),
                    ("refunds", "refunds to pay"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total_amount",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("fees_amount"), "+", models.F("taxes_amount")
                            ),
                            "-",
                            models.F("credit_notes_amount"),
                        ),
                    )
                ),
                name="invoicing_invoice_total",
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
                            models.F("total_amount"), "-", models.F("offset_amount")
                        ),
                    ),
                ),
                name="invoicing_invoice_paid",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("credit_notes_amount__gte", 0), ("total_amount__gte", 0)),
                name="invoicing_invoice_credit_notes",
            ),
        ),
        migrations.AddField(
            model_name="creditnote",
            name="billing_entity",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credit_notes", to="customers.billingentity"
            ),
        ),
        migrations.AddField(
            model_name="creditnote",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credit_notes", to="customers.customer"
            ),
        ),
        migrations.AddField(
            model_name="creditnote",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credit_notes", to="invoicing.invoice"
            ),
        ),
        migrations.AddField(
            model_name="creditnoteitem",
            name="credit_note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="items", to="invoicing.creditnote"
            ),
        ),
        migrations.AddField(
            model_name="creditnoteitem",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credit_note_items",
                to="invoicing.invoiceline",
            ),
        ),
        migrations.AddField(
            model_name="creditnotetax",
            name="credit_note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="applied_taxes", to="invoicing.creditnote"
            ),
        ),
        migrations.AddField(
            model_name="creditnotetax",
            name="tax",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.tax"),
        ),
        migrations.AddField(
            model_name="creditnoteuse",
            name="credit_note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="invoicing.creditnote"
            ),
        ),
        migrations.AddField(
            model_name="creditnoteuse",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credits", to="invoicing.invoice"
            ),
        ),
        migrations.AddIndex(
            model_name="creditnote",
            index=models.Index(fields=["-created_at", "-id"], name="invoicing_credit_note_recent"),
        ),
        migrations.AddIndex(
            model_name="creditnote",
            index=models.Index(
                condition=models.Q(("balance_amount__gt", 0), ("status", "finalized")),
                fields=["customer", "issuing_date"],
                name="invoicing_credit_note_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.UniqueConstraint(
                fields=("billing_entity", "number"), name="invoicing_credit_note_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.UniqueConstraint(
                fields=("invoice", "sequential_id"), name="invoicing_credit_note_sequence"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finalized_at__isnull", True), ("number__isnull", True), ("status", "draft")),
                    models.Q(
                        ("finalized_at__isnull", False),
                        ("number__isnull", False),
                        ("sequential_id__isnull", False),
                        ("status", "finalized"),
                    ),
                    _connector="OR",
                ),
                name="invoicing_credit_note_issued",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total_amount",
                        django.db.models.expressions.CombinedExpression(
                            models.F("sub_total_amount"), "+", models.F("taxes_amount")
                        ),
                    ),
                    (
                        "total_amount",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("credit_amount"), "+", models.F("refund_amount")
                            ),
                            "+",
                            models.F("offset_amount"),
                        ),
                    ),
                ),
                name="invoicing_credit_note_total",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credit_amount__gte", 0),
                    ("offset_amount__gte", 0),
                    ("refund_amount__gte", 0),
                    ("sub_total_amount__gte", 0),
                    ("taxes_amount__gte", 0),
                    ("total_amount__gt", 0),
                ),
                name="invoicing_credit_note_amounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(("balance_amount__gte", 0), ("balance_amount__lte", models.F("credit_amount"))),
                name="invoicing_credit_note_balance",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credit_amount", 0), ("credit_status", "")),
                    models.Q(("balance_amount__gt", 0), ("credit_amount__gt", 0), ("credit_status", "available")),
                    models.Q(("balance_amount", 0), ("credit_amount__gt", 0), ("credit_status", "consumed")),
                    models.Q(
                        ("balance_amount", 0),
                        ("credit_amount__gt", 0),
                        ("credit_status", "voided"),
                        ("voided_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="invoicing_credit_note_credit_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("refund_amount", 0), ("refund_status", "")),
                    models.Q(("refund_amount__gt", 0), ("refund_status__in", ["pending", "failed"])),
                    models.Q(("refund_amount__gt", 0), ("refund_status", "succeeded"), ("refunded_at__isnull", False)),
                    _connector="OR",
                ),
                name="invoicing_credit_note_refund_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnoteitem",
            constraint=models.UniqueConstraint(fields=("credit_note", "line"), name="invoicing_credit_note_item"),
        ),
        migrations.AddConstraint(
            model_name="creditnoteitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0), ("precise_amount__gt", 0)),
                name="invoicing_credit_note_item_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnotetax",
            constraint=models.UniqueConstraint(fields=("credit_note", "tax"), name="invoicing_credit_note_tax"),
        ),
        migrations.AddConstraint(
            model_name="creditnoteuse",
            constraint=models.UniqueConstraint(fields=("credit_note", "invoice"), name="invoicing_credit_use"),
        ),
        migrations.AddConstraint(
            model_name="creditnoteuse",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="invoicing_credit_use_amount"
            ),
        ),
        migrations.RunSQL(FREEZE.replace("{later}", NOW), FREEZE.replace("{later}", BEFORE)),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
