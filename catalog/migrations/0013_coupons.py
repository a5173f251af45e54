"""Coupons. One is limited to plans or to metrics, never to both: two tables agree on that, so a trigger holds it."""

import uuid

import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE FUNCTION catalog_check_coupon_limits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM catalog_coupon_plans WHERE coupon_id = NEW.coupon_id)
        AND EXISTS (SELECT 1 FROM catalog_coupon_metrics WHERE coupon_id = NEW.coupon_id) THEN
        RAISE EXCEPTION 'coupon % is limited to plans and to metrics', NEW.coupon_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER catalog_coupon_plans_only AFTER INSERT OR UPDATE ON catalog_coupon_plans
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalog_check_coupon_limits();
CREATE CONSTRAINT TRIGGER catalog_coupon_metrics_only AFTER INSERT OR UPDATE ON catalog_coupon_metrics
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalog_check_coupon_limits();
"""

BACKWARD = """
DROP TRIGGER catalog_coupon_metrics_only ON catalog_coupon_metrics;
DROP TRIGGER catalog_coupon_plans_only ON catalog_coupon_plans;
DROP FUNCTION catalog_check_coupon_limits();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0012_overrides"),
    ]

    operations = [
        migrations.CreateModel(
            name="Coupon",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("code", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=255)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "kind",
                    models.CharField(choices=[("fixed_amount", "amount"), ("percentage", "percentage")], max_length=16),
                ),
                ("currency", config.kernel.db.CurrencyField(blank=True, default="", max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        blank=True, currency_field_name="currency", decimal_places=4, max_digits=20, null=True
                    ),
                ),
                ("rate", models.DecimalField(blank=True, decimal_places=8, max_digits=12, null=True)),
                (
                    "frequency",
                    models.CharField(
                        choices=[("once", "once"), ("recurring", "on some invoices"), ("forever", "on every invoice")],
                        max_length=16,
                    ),
                ),
                ("frequency_duration", models.PositiveIntegerField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("is_reusable", models.BooleanField(default=True)),
                ("terminated_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [("terminate_coupon", "Can terminate coupon")],
            },
        ),
        migrations.AddField(
            model_name="coupon",
            name="metrics",
            field=models.ManyToManyField(blank=True, related_name="coupons", to="catalog.billablemetric"),
        ),
        migrations.AddField(
            model_name="coupon",
            name="plans",
            field=models.ManyToManyField(blank=True, related_name="coupons", to="catalog.plan"),
        ),
        migrations.AddIndex(
            model_name="coupon",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True), ("expires_at__isnull", False)),
                fields=["expires_at"],
                name="catalog_coupon_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True)), fields=("code",), name="catalog_coupon_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount__gt", 0),
                        ("kind", "fixed_amount"),
                        ("rate__isnull", True),
                        models.Q(("currency", ""), _negated=True),
                    ),
                    models.Q(
                        ("amount__isnull", True),
                        ("currency", ""),
                        ("kind", "percentage"),
                        ("rate__gt", 0),
                        ("rate__lte", 1),
                    ),
                    _connector="OR",
                ),
                name="catalog_coupon_terms",
            ),
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("frequency", "recurring"), ("frequency_duration__gt", 0)),
                    models.Q(("frequency__in", ["once", "forever"]), ("frequency_duration__isnull", True)),
                    _connector="OR",
                ),
                name="catalog_coupon_frequency",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
