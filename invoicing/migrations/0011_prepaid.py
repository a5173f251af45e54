"""Prepaid credit: what customers bought in advance, the invoices that drew on it, and the triggers that hold both.

What was drawn is booked and stays. Sums that several rows must agree on are checked when the transaction ends: what is
used of a credit against its uses, and what an invoice drew against the same.
"""

import decimal
import uuid

import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE FUNCTION invoicing_freeze_prepaid_credit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['status', 'used_amount', 'closed_amount', 'closed_on', 'group_keys', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status IN ('expired', 'rolled_over')
        OR to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'prepaid credit % is granted: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_prepaid_frozen BEFORE UPDATE OR DELETE ON invoicing_prepaidcredit
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_prepaid_credit();
CREATE TRIGGER invoicing_prepaid_use_append_only BEFORE UPDATE OR DELETE ON invoicing_prepaidcredituse
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();

CREATE FUNCTION invoicing_check_prepaid_credit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_prepaidcredit' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'credit_id')::bigint END;
    bought record;
    used numeric;
BEGIN
    SELECT * INTO bought FROM invoicing_prepaidcredit WHERE id = checked;
    SELECT coalesce(sum(amount), 0) INTO used FROM invoicing_prepaidcredituse WHERE credit_id = checked;
    IF bought.used_amount <> used THEN
        RAISE EXCEPTION 'prepaid credit %: used amount % differs from its uses %', checked, bought.used_amount, used
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM invoicing_prepaidcredituse part JOIN invoicing_invoice bill ON bill.id = part.invoice_id
         WHERE part.credit_id = checked
           AND (bill.customer_id, bill.billing_entity_id, bill.currency, part.currency)
               IS DISTINCT FROM (bought.customer_id, bought.billing_entity_id, bought.currency, bought.currency)
    ) THEN
        RAISE EXCEPTION 'prepaid credit % pays an invoice of another customer, seller or currency', checked
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_prepaid_sums AFTER INSERT OR UPDATE OF used_amount ON invoicing_prepaidcredit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_prepaid_credit();
CREATE CONSTRAINT TRIGGER invoicing_prepaid_use_sums AFTER INSERT ON invoicing_prepaidcredituse
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_prepaid_credit();

CREATE FUNCTION invoicing_check_prepaid_of_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_invoice' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'invoice_id')::bigint END;
    bill record;
    drawn numeric;
BEGIN
    SELECT * INTO bill FROM invoicing_invoice WHERE id = checked;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(amount), 0) INTO drawn FROM invoicing_prepaidcredituse WHERE invoice_id = checked;
    IF bill.prepaid_credit_amount <> drawn OR (drawn > 0 AND (bill.status = 'draft' OR bill.kind = 'credit')) THEN
        RAISE EXCEPTION 'invoice %: prepaid credit % differs from the % that it drew', checked,
            bill.prepaid_credit_amount, drawn USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_invoice_prepaid AFTER UPDATE OF prepaid_credit_amount ON invoicing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.prepaid_credit_amount <> NEW.prepaid_credit_amount)
    EXECUTE FUNCTION invoicing_check_prepaid_of_invoice();
CREATE CONSTRAINT TRIGGER invoicing_invoice_prepaid_made AFTER INSERT ON invoicing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.prepaid_credit_amount <> 0)
    EXECUTE FUNCTION invoicing_check_prepaid_of_invoice();
CREATE CONSTRAINT TRIGGER invoicing_prepaid_use_invoice AFTER INSERT ON invoicing_prepaidcredituse
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_prepaid_of_invoice();
"""

BACKWARD = """
DROP TRIGGER invoicing_prepaid_use_invoice ON invoicing_prepaidcredituse;
DROP TRIGGER invoicing_invoice_prepaid_made ON invoicing_invoice;
DROP TRIGGER invoicing_invoice_prepaid ON invoicing_invoice;
DROP FUNCTION invoicing_check_prepaid_of_invoice();
DROP TRIGGER invoicing_prepaid_use_sums ON invoicing_prepaidcredituse;
DROP TRIGGER invoicing_prepaid_sums ON invoicing_prepaidcredit;
DROP FUNCTION invoicing_check_prepaid_credit();
DROP TRIGGER invoicing_prepaid_use_append_only ON invoicing_prepaidcredituse;
DROP TRIGGER invoicing_prepaid_frozen ON invoicing_prepaidcredit;
DROP FUNCTION invoicing_freeze_prepaid_credit();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_initial"),
        ("platform", "0002_append_only"),
        ("invoicing", "0010_open_invoices"),
    ]

    operations = [
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
                    ("prepaid", "prepaid by customers"),
                ],
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="PrepaidCredit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("used_up", "used up"),
                            ("expired", "expired"),
                            ("rolled_over", "rolled over"),
                        ],
                        default="active",
                        max_length=16,
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="granted"
                    ),
                ),
                (
                    "used_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="used",
                    ),
                ),
                (
                    "closed_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="closed",
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField()),
                ("priority", models.PositiveSmallIntegerField(default=50)),
                ("group_keys", models.JSONField(blank=True, default=list)),
                ("source", models.CharField(max_length=255)),
                ("source_uuid", models.UUIDField(unique=True)),
                ("closed_on", models.DateField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "billing_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prepaid_credits",
                        to="customers.billingentity",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prepaid_credits",
                        to="customers.customer",
                    ),
                ),
                (
                    "rolled_from",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rolled_into",
                        to="invoicing.prepaidcredit",
                    ),
                ),
            ],
            options={
                "verbose_name": "prepaid credit",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="PrepaidCreditUse",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                (
                    "credit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="invoicing.prepaidcredit"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="prepaid_uses", to="invoicing.invoice"
                    ),
                ),
            ],
            options={
                "verbose_name": "use of prepaid credit",
                "verbose_name_plural": "uses of prepaid credit",
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="prepaidcredit",
            index=models.Index(
                condition=models.Q(("status", "active")),
                fields=["customer", "valid_until"],
                name="invoicing_prepaid_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="prepaidcredit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gt", 0),
                    ("closed_amount__gte", 0),
                    ("used_amount__gte", 0),
                    (
                        "amount__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("used_amount"), "+", models.F("closed_amount")
                        ),
                    ),
                ),
                name="invoicing_prepaid_amounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="prepaidcredit",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_until__gte", models.F("valid_from"))), name="invoicing_prepaid_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="prepaidcredit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount__gt", models.F("used_amount")),
                        ("closed_amount", 0),
                        ("closed_on__isnull", True),
                        ("status", "active"),
                    ),
                    models.Q(
                        ("amount", models.F("used_amount")),
                        ("closed_amount", 0),
                        ("closed_on__isnull", True),
                        ("status", "used_up"),
                    ),
                    models.Q(
                        (
                            "amount",
                            django.db.models.expressions.CombinedExpression(
                                models.F("used_amount"), "+", models.F("closed_amount")
                            ),
                        ),
                        ("closed_amount__gt", 0),
                        ("closed_on__isnull", False),
                        ("status__in", ["expired", "rolled_over"]),
                    ),
                    _connector="OR",
                ),
                name="invoicing_prepaid_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="prepaidcredituse",
            constraint=models.UniqueConstraint(fields=("credit", "invoice"), name="invoicing_prepaid_use"),
        ),
        migrations.AddConstraint(
            model_name="prepaidcredituse",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="invoicing_prepaid_use_amount"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
