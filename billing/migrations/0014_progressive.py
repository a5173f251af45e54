"""Progressive billing: thresholds of subscriptions, those that were passed, and whose usage is to be looked at.

What is billed progressively covers time that is billed again, so it has a key of its own.
"""

import uuid

import django.contrib.postgres.constraints
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import billing.models.rated
import config.kernel.db

FORWARD = """
CREATE TRIGGER billing_applied_threshold_append_only BEFORE UPDATE OR DELETE ON billing_appliedusagethreshold
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""

BACKWARD = "DROP TRIGGER billing_applied_threshold_append_only ON billing_appliedusagethreshold;"


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0013_commitments"),
        ("customers", "0001_initial"),
        ("invoicing", "0009_progressive"),
        ("platform", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="AppliedUsageThreshold",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("threshold_key", models.UUIDField()),
                ("amount_cents", models.PositiveBigIntegerField()),
                ("recurring", models.BooleanField(default=False)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                ("invoiced_cents", models.BigIntegerField()),
                ("lifetime_cents", models.BigIntegerField()),
                ("usage_cents", models.BigIntegerField()),
                ("period_from_at", models.DateTimeField()),
                ("period_to_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "passed usage threshold",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionThreshold",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("external_subscription_id", models.CharField(max_length=255)),
                ("amount_cents", models.PositiveBigIntegerField()),
                ("recurring", models.BooleanField(default=False)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
            ],
            options={
                "verbose_name": "usage threshold of a subscription",
                "verbose_name_plural": "usage thresholds of subscriptions",
                "ordering": ["recurring", "amount_cents", "id"],
            },
        ),
        migrations.CreateModel(
            name="ThresholdCheck",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("error", models.TextField(blank=True, default="")),
            ],
            options={
                "verbose_name": "check of usage thresholds",
                "verbose_name_plural": "checks of usage thresholds",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ThresholdCursor",
            fields=[
                ("singleton", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="billedperiod",
            name="billing_usage_once",
        ),
        migrations.RemoveConstraint(
            model_name="billedperiod",
            name="billing_period_advance",
        ),
        migrations.RemoveConstraint(
            model_name="ratedcharge",
            name="billing_rated_once",
        ),
        migrations.AddField(
            model_name="ratedcharge",
            name="is_progressive",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddConstraint(
            model_name="billedperiod",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(
                    ("released_at__isnull", True),
                    models.Q(("reason__in", ["in_advance_charge", "progressive_billing"]), _negated=True),
                ),
                expressions=[
                    (billing.models.rated.Same("subscription_id"), "&&"),
                    (billing.models.rated.Between("charges_from_at", "charges_to_at"), "&&"),
                ],
                name="billing_usage_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="billedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason__in", ["in_advance_charge", "progressive_billing"]), _negated=True),
                    ("bills_fee", False),
                    _connector="OR",
                ),
                name="billing_period_advance",
            ),
        ),
        migrations.AddConstraint(
            model_name="ratedcharge",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(
                    ("event_transaction_id__isnull", True),
                    ("fixed_units__isnull", True),
                    ("is_progressive", False),
                    ("released_at__isnull", True),
                ),
                expressions=[
                    (billing.models.rated.Same("subscription_id"), "&&"),
                    (billing.models.rated.Same("item_key"), "&&"),
                    (billing.models.rated.Between("from_at", "to_at"), "&&"),
                ],
                name="billing_rated_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="ratedcharge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_progressive", True)),
                fields=("period", "item_key"),
                name="billing_progressive_rated_once",
            ),
        ),
        migrations.AddField(
            model_name="appliedusagethreshold",
            name="invoice",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="applied_usage_thresholds",
                to="invoicing.invoice",
            ),
        ),
        migrations.AddField(
            model_name="appliedusagethreshold",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="applied_usage_thresholds",
                to="billing.subscription",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionthreshold",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="usage_thresholds", to="customers.customer"
            ),
        ),
        migrations.AddField(
            model_name="thresholdcheck",
            name="subscription",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="threshold_check", to="billing.subscription"
            ),
        ),
        migrations.AddConstraint(
            model_name="thresholdcursor",
            constraint=models.CheckConstraint(
                condition=models.Q(("singleton", True)), name="billing_threshold_cursor_single"
            ),
        ),
        migrations.AddConstraint(
            model_name="appliedusagethreshold",
            constraint=models.UniqueConstraint(
                fields=("subscription", "period_from_at", "threshold_key", "invoiced_cents"),
                name="billing_applied_threshold_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="appliedusagethreshold",
            constraint=models.CheckConstraint(
                condition=models.Q(("lifetime_cents__gt", models.F("invoiced_cents"))),
                name="billing_applied_threshold_grows",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionthreshold",
            constraint=models.UniqueConstraint(
                fields=("customer", "external_subscription_id", "amount_cents", "recurring"),
                name="billing_usage_threshold_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionthreshold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("recurring", True)),
                fields=("customer", "external_subscription_id"),
                name="billing_usage_threshold_recurring",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionthreshold",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_cents__gt", 0)), name="billing_usage_threshold_positive"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
