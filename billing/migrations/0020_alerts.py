"""Usage alerts, spend caps and notices of ends: what was agreed, what was seen last, and each time that it was told."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE TRIGGER billing_triggered_alert_append_only BEFORE UPDATE OR DELETE ON billing_triggeredalert
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER billing_subscription_notice_append_only BEFORE UPDATE OR DELETE ON billing_subscriptionnotice
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""

BACKWARD = """
DROP TRIGGER billing_subscription_notice_append_only ON billing_subscriptionnotice;
DROP TRIGGER billing_triggered_alert_append_only ON billing_triggeredalert;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0019_contracts"),
        ("catalog", "0001_initial"),
        ("customers", "0001_initial"),
        ("platform", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertCheck",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "subscription",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alert_check",
                        to="billing.subscription",
                    ),
                ),
            ],
            options={
                "verbose_name": "check of alerts",
                "verbose_name_plural": "checks of alerts",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="AlertCursor",
            fields=[
                ("singleton", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("singleton", True)), name="billing_alert_cursor_single")
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageAlert",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("external_subscription_id", models.CharField(max_length=255)),
                (
                    "alert_type",
                    models.CharField(
                        choices=[
                            ("current_usage_amount", "amount used in the period"),
                            ("lifetime_usage_amount", "amount used since the first day"),
                            ("billable_metric_current_usage_amount", "amount of a metric in the period"),
                            ("billable_metric_current_usage_units", "units of a metric in the period"),
                            ("billable_metric_lifetime_usage_units", "units of a metric since the first day"),
                        ],
                        max_length=64,
                    ),
                ),
                ("code", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                ("previous_value", models.DecimalField(decimal_places=15, default=0, max_digits=40)),
                ("last_processed_at", models.DateTimeField(editable=False, null=True)),
                ("period_from_at", models.DateTimeField(editable=False, null=True)),
                ("period_to_at", models.DateTimeField(editable=False, null=True)),
                ("firings", models.PositiveIntegerField(default=0, editable=False)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_alerts",
                        to="customers.customer",
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_alerts",
                        to="catalog.billablemetric",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seen_alerts",
                        to="billing.subscription",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="TriggeredAlert",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "alert_type",
                    models.CharField(
                        choices=[
                            ("current_usage_amount", "amount used in the period"),
                            ("lifetime_usage_amount", "amount used since the first day"),
                            ("billable_metric_current_usage_amount", "amount of a metric in the period"),
                            ("billable_metric_current_usage_units", "units of a metric in the period"),
                            ("billable_metric_lifetime_usage_units", "units of a metric since the first day"),
                        ],
                        max_length=64,
                    ),
                ),
                ("alert_code", models.CharField(max_length=255)),
                ("alert_name", models.CharField(blank=True, default="", max_length=255)),
                ("metric_code", models.CharField(blank=True, default="", max_length=255)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                ("previous_value", models.DecimalField(decimal_places=15, max_digits=40)),
                ("current_value", models.DecimalField(decimal_places=15, max_digits=40)),
                ("crossed", models.JSONField()),
                ("period_from_at", models.DateTimeField()),
                ("period_to_at", models.DateTimeField()),
                ("triggered_at", models.DateTimeField()),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="triggered_alerts",
                        to="billing.subscription",
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="triggered", to="billing.usagealert"
                    ),
                ),
            ],
            options={
                "ordering": ["-triggered_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="AlertThreshold",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("code", models.CharField(blank=True, default="", max_length=255)),
                ("value", models.DecimalField(decimal_places=15, max_digits=40)),
                ("recurring", models.BooleanField(default=False)),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="thresholds", to="billing.usagealert"
                    ),
                ),
            ],
            options={
                "ordering": ["recurring", "value", "id"],
            },
        ),
        migrations.CreateModel(
            name="SpendCap",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("external_subscription_id", models.CharField(max_length=255)),
                ("amount_cents", models.PositiveBigIntegerField()),
                ("spent_cents", models.BigIntegerField(default=0)),
                ("last_processed_at", models.DateTimeField(editable=False, null=True)),
                ("period_from_at", models.DateTimeField(editable=False, null=True)),
                ("period_to_at", models.DateTimeField(editable=False, null=True)),
                ("reached_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="spend_caps", to="customers.customer"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seen_caps",
                        to="billing.subscription",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["external_subscription_id"], name="billing_spend_cap_external"),
                    models.Index(
                        condition=models.Q(("reached_at__isnull", False)),
                        fields=["external_subscription_id"],
                        name="billing_spend_cap_reached",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "external_subscription_id"), name="billing_spend_cap_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_cents__gt", 0)), name="billing_spend_cap_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reached_at__isnull", True), ("period_to_at__isnull", False), _connector="OR"
                        ),
                        name="billing_spend_cap_period",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionNotice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("ending_at", models.DateTimeField()),
                ("days_before", models.PositiveSmallIntegerField()),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="billing.subscription"
                    ),
                ),
            ],
            options={
                "verbose_name": "notice of an end",
                "verbose_name_plural": "notices of ends",
                "ordering": ["ending_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subscription", "ending_at", "days_before"), name="billing_subscription_notice_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="usagealert",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["external_subscription_id"],
                name="billing_usage_alert_external",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagealert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=("customer", "external_subscription_id", "code"),
                name="billing_usage_alert_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagealert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=("customer", "external_subscription_id", "alert_type", "metric"),
                name="billing_usage_alert_type",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="usagealert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("alert_type__startswith", "billable_metric_"), ("metric__isnull", False)),
                    models.Q(
                        models.Q(("alert_type__startswith", "billable_metric_"), _negated=True),
                        ("metric__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="billing_usage_alert_metric",
            ),
        ),
        migrations.AddIndex(
            model_name="triggeredalert",
            index=models.Index(fields=["-triggered_at", "-id"], name="billing_triggered_alert_at"),
        ),
        migrations.AddConstraint(
            model_name="triggeredalert",
            constraint=models.UniqueConstraint(fields=("alert", "number"), name="billing_triggered_alert_once"),
        ),
        migrations.AddConstraint(
            model_name="triggeredalert",
            constraint=models.CheckConstraint(
                condition=models.Q(("current_value__gt", models.F("previous_value"))),
                name="billing_triggered_alert_grows",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertthreshold",
            constraint=models.UniqueConstraint(
                fields=("alert", "value", "recurring"), name="billing_alert_threshold_value"
            ),
        ),
        migrations.AddConstraint(
            model_name="alertthreshold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("recurring", True)), fields=("alert",), name="billing_alert_threshold_recurring"
            ),
        ),
        migrations.AddConstraint(
            model_name="alertthreshold",
            constraint=models.CheckConstraint(
                condition=models.Q(("value__gt", 0)), name="billing_alert_threshold_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                fields=["ending_at"],
                condition=models.Q(status="active", ending_at__isnull=False),
                name="billing_subscription_ending",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
