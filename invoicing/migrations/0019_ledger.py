"""Accounts with types, their mapping, the open item of each receivable posting, manual entries, journal exports.

What was booked before gets the invoice that it belongs to; sellers get the accounts and mappings that they lack. An
account that something is posted to keeps type and role. Whoever inserts entries holds a lock that exports wait for, so
that an export knows up to which id everything is settled.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

CHART = (
    ("cash", "1000", "Cash", "asset"),
    ("receivable", "1200", "Receivables", "asset"),
    ("disputed", "1210", "Disputed receivables", "asset"),
    ("customer_credit", "2100", "Customer credit", "liability"),
    ("refunds", "2110", "Refunds to pay", "liability"),
    ("prepaid", "2120", "Prepaid by customers", "liability"),
    ("tax", "2200", "Tax payable", "liability"),
    ("revenue", "4000", "Revenue", "revenue"),
    ("promotion", "4100", "Given credits used", "contra_revenue"),
    ("write_off", "6000", "Written off", "expense"),
)

BACKFILL = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE invoicing_ledgerposting DISABLE TRIGGER invoicing_posting_append_only;
UPDATE invoicing_ledgerposting p SET invoice_id = known.invoice_id
FROM (
    SELECT e.id AS entry_id, CASE e.source_type
        WHEN 'invoicing.invoice' THEN e.source_id
        WHEN 'invoicing.payment' THEN
            (SELECT min(invoice_id) FROM invoicing_paymentallocation WHERE payment_id = e.source_id)
        WHEN 'invoicing.creditnote' THEN (SELECT invoice_id FROM invoicing_creditnote WHERE id = e.source_id)
        WHEN 'invoicing.creditnoteuse' THEN (SELECT invoice_id FROM invoicing_creditnoteuse WHERE id = e.source_id)
        WHEN 'invoicing.prepaidcredituse' THEN
            (SELECT invoice_id FROM invoicing_prepaidcredituse WHERE id = e.source_id)
        END AS invoice_id
    FROM invoicing_ledgerentry e
) known, invoicing_ledgeraccount a
WHERE known.entry_id = p.entry_id AND a.id = p.account_id AND a.role IN ('receivable', 'disputed')
    AND known.invoice_id IS NOT NULL;
ALTER TABLE invoicing_ledgerposting ENABLE TRIGGER invoicing_posting_append_only;
"""

FORWARD = """
CREATE FUNCTION invoicing_hold_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Shared by all who book, until their transactions end; an export takes it alone for a moment.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('invoicing.journal', 0));
    RETURN NULL;
END $$;
CREATE TRIGGER invoicing_entry_hold_journal BEFORE INSERT ON invoicing_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION invoicing_hold_journal();

CREATE FUNCTION invoicing_keep_used_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.type, OLD.role, OLD.billing_entity_id) IS DISTINCT FROM (NEW.type, NEW.role, NEW.billing_entity_id)
        AND EXISTS (SELECT 1 FROM invoicing_ledgerposting WHERE account_id = OLD.id) THEN
        RAISE EXCEPTION 'ledger account % is in use: its type, role and seller stay', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_account_kept BEFORE UPDATE ON invoicing_ledgeraccount
    FOR EACH ROW EXECUTE FUNCTION invoicing_keep_used_account();

CREATE TRIGGER invoicing_manual_entry_append_only BEFORE UPDATE OR DELETE ON invoicing_manualentry
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_journal_export_append_only BEFORE UPDATE OR DELETE ON invoicing_journalexport
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_journal_part_append_only BEFORE UPDATE OR DELETE ON invoicing_journalpart
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""

BACKWARD = """
DROP TRIGGER invoicing_journal_part_append_only ON invoicing_journalpart;
DROP TRIGGER invoicing_journal_export_append_only ON invoicing_journalexport;
DROP TRIGGER invoicing_manual_entry_append_only ON invoicing_manualentry;
DROP TRIGGER invoicing_account_kept ON invoicing_ledgeraccount;
DROP FUNCTION invoicing_keep_used_account();
DROP TRIGGER invoicing_entry_hold_journal ON invoicing_ledgerentry;
DROP FUNCTION invoicing_hold_journal();
"""


def open_chart(apps, schema_editor):
    """Give every account its type, every seller the accounts that it lacks, and every role its mapping."""
    accounts = apps.get_model("invoicing", "LedgerAccount")
    mappings = apps.get_model("invoicing", "LedgerMapping")
    for role, _, _, kind in CHART:
        accounts.objects.filter(role=role).update(type=kind)
    for entity in apps.get_model("customers", "BillingEntity").objects.order_by("pk"):
        held = {row.role: row for row in accounts.objects.filter(billing_entity=entity)}
        codes = {row.code for row in held.values()}
        for role, code, name, kind in CHART:
            if role not in held and code not in codes:
                held[role] = accounts.objects.create(
                    billing_entity=entity, role=role, code=code, name=name, type=kind
                )
        for role, account in held.items():
            mappings.objects.get_or_create(billing_entity=entity, role=role, account=account)


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0018_credit_notes"), ("platform", "0002_append_only")]

    operations = [
        migrations.RemoveConstraint(
            model_name="ledgeraccount",
            name="invoicing_account_role",
        ),
        migrations.AlterField(
            model_name="ledgeraccount",
            name="role",
            field=models.CharField(blank=True, default="", max_length=32),
        ),
        migrations.AddField(
            model_name="ledgeraccount",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AddField(
            model_name="ledgeraccount",
            name="type",
            field=models.CharField(
                choices=[
                    ("asset", "asset"),
                    ("liability", "liability"),
                    ("revenue", "revenue"),
                    ("contra_revenue", "contra revenue"),
                    ("expense", "expense"),
                ],
                default="asset",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="customer",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ledger_entries",
                to="customers.customer",
            ),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["billing_entity", "accounting_date", "id"], name="invoicing_entry_day"),
        ),
        migrations.AddField(
            model_name="ledgerposting",
            name="invoice",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="postings",
                to="invoicing.invoice",
            ),
        ),
        migrations.CreateModel(
            name="LedgerMapping",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("role", models.CharField(max_length=32)),
                ("item_code", models.CharField(blank=True, default="", max_length=255)),
                ("tax_code", models.CharField(blank=True, default="", max_length=255)),
                ("plan_code", models.CharField(blank=True, default="", max_length=255)),
                ("payment_kind", models.CharField(blank=True, default="", max_length=16)),
                ("line_kind", models.CharField(blank=True, default="", max_length=32)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mappings",
                        to="invoicing.ledgeraccount",
                    ),
                ),
                (
                    "billing_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger_mappings",
                        to="customers.billingentity",
                    ),
                ),
            ],
            options={
                "verbose_name": "account mapping",
                "ordering": ["billing_entity", "role", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "billing_entity",
                            "role",
                            "item_code",
                            "tax_code",
                            "plan_code",
                            "payment_kind",
                            "line_kind",
                            "currency",
                        ),
                        name="invoicing_mapping_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ManualEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("reason", models.TextField()),
                ("reference", models.CharField(blank=True, default="", max_length=255)),
                ("idempotency_key", models.UUIDField(editable=False, null=True, unique=True)),
                (
                    "billing_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="manual_entries",
                        to="customers.billingentity",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="invoicing.manualentry",
                    ),
                ),
            ],
            options={"verbose_name": "manual entry", "verbose_name_plural": "manual entries", "ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="JournalExport",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveIntegerField()),
                ("since_date", models.DateField(null=True)),
                ("until_date", models.DateField(null=True)),
                ("last_known_id", models.BigIntegerField()),
                ("entries_count", models.PositiveBigIntegerField()),
                ("late_count", models.PositiveBigIntegerField()),
                ("first_entry_id", models.BigIntegerField(null=True)),
                ("last_entry_id", models.BigIntegerField(null=True)),
                ("totals", models.JSONField(default=dict)),
                ("csv_sha256", models.CharField(max_length=64)),
                ("json_sha256", models.CharField(max_length=64)),
                ("idempotency_key", models.CharField(max_length=255, null=True)),
                (
                    "billing_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="journal_exports",
                        to="customers.billingentity",
                    ),
                ),
            ],
            options={
                "verbose_name": "journal export",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("billing_entity", "number"), name="invoicing_export_number"),
                    models.UniqueConstraint(fields=("billing_entity", "until_date"), name="invoicing_export_period"),
                    models.UniqueConstraint(
                        fields=("billing_entity", "idempotency_key"), name="invoicing_export_key"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JournalPart",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("format", models.CharField(choices=[("csv", "CSV"), ("json", "JSON")], max_length=8)),
                ("position", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="invoicing.journalexport",
                    ),
                ),
            ],
            options={
                "verbose_name": "part of a journal export",
                "verbose_name_plural": "parts of journal exports",
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(fields=("export", "format", "position"), name="invoicing_journal_part")
                ],
            },
        ),
        migrations.RunPython(open_chart, migrations.RunPython.noop),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
