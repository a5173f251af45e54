"""Coupons on invoices: what each took off, the plan that a line bills, and the triggers that hold the sums.

What a coupon took off stays as it is; only that it was given back is written, once. When the transaction ends, what an
invoice says was taken off is the sum of its coupons, and what a coupon says was used of it the sum of its living uses.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE FUNCTION invoicing_freeze_coupon() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.given_back_at IS NOT NULL
        OR to_jsonb(NEW) - 'given_back_at' <> to_jsonb(OLD) - 'given_back_at' THEN
        RAISE EXCEPTION 'use of coupon % is written: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_coupon_frozen BEFORE UPDATE OR DELETE ON invoicing_invoicecoupon
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_coupon();

CREATE FUNCTION invoicing_check_coupons_of_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_invoice' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'invoice_id')::bigint END;
    bill record;
    taken numeric;
BEGIN
    SELECT * INTO bill FROM invoicing_invoice WHERE id = checked;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(amount), 0) INTO taken FROM invoicing_invoicecoupon WHERE invoice_id = checked;
    IF bill.coupons_amount <> taken OR (taken > 0 AND bill.status = 'draft') THEN
        RAISE EXCEPTION 'invoice %: coupons % differ from the % taken off', checked, bill.coupons_amount, taken
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_invoice_coupons AFTER UPDATE OF coupons_amount ON invoicing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.coupons_amount <> NEW.coupons_amount)
    EXECUTE FUNCTION invoicing_check_coupons_of_invoice();
CREATE CONSTRAINT TRIGGER invoicing_invoice_coupons_made AFTER INSERT ON invoicing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.coupons_amount <> 0)
    EXECUTE FUNCTION invoicing_check_coupons_of_invoice();
CREATE CONSTRAINT TRIGGER invoicing_coupon_invoice AFTER INSERT ON invoicing_invoicecoupon
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_coupons_of_invoice();

CREATE FUNCTION invoicing_check_applied_coupon() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'customers_appliedcoupon' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'applied_coupon_id')::bigint END;
    applied record;
    used numeric;
    uses bigint;
BEGIN
    SELECT * INTO applied FROM customers_appliedcoupon WHERE id = checked;
    SELECT coalesce(sum(amount), 0), count(*) INTO used, uses FROM invoicing_invoicecoupon
        WHERE applied_coupon_id = checked AND given_back_at IS NULL;
    IF applied.used_amount <> used OR applied.frequency_duration - applied.frequency_duration_remaining <> uses THEN
        RAISE EXCEPTION 'applied coupon %: used %, but % on % invoices', checked, applied.used_amount, used, uses
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM invoicing_invoicecoupon part JOIN invoicing_invoice bill ON bill.id = part.invoice_id
         WHERE part.applied_coupon_id = checked
           AND (bill.customer_id <> applied.customer_id OR part.currency <> bill.currency
                OR (applied.amount IS NOT NULL AND part.currency <> applied.currency))
    ) THEN
        RAISE EXCEPTION 'applied coupon % is used on an invoice of another customer or currency', checked
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_applied_coupon_sums
    AFTER INSERT OR UPDATE OF used_amount, frequency_duration_remaining ON customers_appliedcoupon
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_applied_coupon();
CREATE CONSTRAINT TRIGGER invoicing_coupon_sums AFTER INSERT OR UPDATE OF given_back_at ON invoicing_invoicecoupon
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_applied_coupon();
"""

BACKWARD = """
DROP TRIGGER invoicing_coupon_sums ON invoicing_invoicecoupon;
DROP TRIGGER invoicing_applied_coupon_sums ON customers_appliedcoupon;
DROP FUNCTION invoicing_check_applied_coupon();
DROP TRIGGER invoicing_coupon_invoice ON invoicing_invoicecoupon;
DROP TRIGGER invoicing_invoice_coupons_made ON invoicing_invoice;
DROP TRIGGER invoicing_invoice_coupons ON invoicing_invoice;
DROP FUNCTION invoicing_check_coupons_of_invoice();
DROP TRIGGER invoicing_coupon_frozen ON invoicing_invoicecoupon;
DROP FUNCTION invoicing_freeze_coupon();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_coupons"),
        ("invoicing", "0012_money"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvoiceCoupon",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("position", models.PositiveIntegerField()),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                ("base_amount", models.DecimalField(decimal_places=15, max_digits=40)),
                ("trace", models.JSONField(default=dict)),
                ("given_back_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "use of a coupon",
                "verbose_name_plural": "uses of coupons",
                "ordering": ["invoice", "position"],
            },
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="plan_code",
            field=models.CharField(blank=True, default="", editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name="invoicecoupon",
            name="applied_coupon",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="customers.appliedcoupon"
            ),
        ),
        migrations.AddField(
            model_name="invoicecoupon",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="coupons", to="invoicing.invoice"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicecoupon",
            constraint=models.UniqueConstraint(fields=("invoice", "applied_coupon"), name="invoicing_coupon_use"),
        ),
        migrations.AddConstraint(
            model_name="invoicecoupon",
            constraint=models.UniqueConstraint(fields=("invoice", "position"), name="invoicing_coupon_position"),
        ),
        migrations.AddConstraint(
            model_name="invoicecoupon",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="invoicing_coupon_amount"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
