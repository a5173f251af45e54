"""Coupons that customers have. Their terms stay as they were agreed; what was used of them and their end change."""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE FUNCTION customers_freeze_applied_coupon() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY[
        'status', 'ended_by', 'used_amount', 'frequency_duration_remaining', 'terminated_at', 'updated_at'
    ];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'applied coupon % is agreed: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER customers_applied_coupon_frozen BEFORE UPDATE OR DELETE ON customers_appliedcoupon
    FOR EACH ROW EXECUTE FUNCTION customers_freeze_applied_coupon();
"""

BACKWARD = """
DROP TRIGGER customers_applied_coupon_frozen ON customers_appliedcoupon;
DROP FUNCTION customers_freeze_applied_coupon();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0013_coupons"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AppliedCoupon",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("terminated", "terminated")], default="active", max_length=16
                    ),
                ),
                (
                    "ended_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not ended"),
                            ("use", "used up"),
                            ("removal", "taken off"),
                            ("expiry", "expired"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(blank=True, default="", max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        blank=True, currency_field_name="currency", decimal_places=4, max_digits=20, null=True
                    ),
                ),
                (
                    "used_amount",
                    djmoney.models.fields.MoneyField(
                        blank=True,
                        currency_field_name="currency",
                        decimal_places=4,
                        max_digits=20,
                        null=True,
                        verbose_name="used",
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
                ("frequency_duration_remaining", models.PositiveIntegerField(blank=True, null=True)),
                ("terminated_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "coupon",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="applied", to="catalog.coupon"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applied_coupons",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "applied coupon",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "active")),
                        fields=["customer", "created_at"],
                        name="customers_coupon_active",
                    ),
                    models.Index(fields=["-created_at", "-id"], name="customers_coupon_recent"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount__gt", 0),
                                ("rate__isnull", True),
                                ("used_amount__gte", 0),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            models.Q(
                                ("amount__isnull", True),
                                ("currency", ""),
                                ("rate__gt", 0),
                                ("rate__lte", 1),
                                ("used_amount__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="customers_applied_coupon_terms",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("frequency", "recurring"),
                                ("frequency_duration__gt", 0),
                                ("frequency_duration_remaining__gte", 0),
                                ("frequency_duration_remaining__lte", models.F("frequency_duration")),
                            ),
                            models.Q(
                                ("frequency__in", ["once", "forever"]),
                                ("frequency_duration__isnull", True),
                                ("frequency_duration_remaining__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="customers_applied_coupon_frequency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("frequency", "once"), _negated=True),
                            ("amount__isnull", True),
                            ("used_amount__lte", models.F("amount")),
                            _connector="OR",
                        ),
                        name="customers_applied_coupon_used",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_by", ""), ("status", "active"), ("terminated_at__isnull", True)),
                            models.Q(
                                ("status", "terminated"),
                                ("terminated_at__isnull", False),
                                models.Q(("ended_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="customers_applied_coupon_status",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
