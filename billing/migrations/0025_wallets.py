"""Top-ups by rule and what usage holds of wallets: who is to be looked at, alerts on wallets, and what was told."""

import uuid
from decimal import Decimal

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE TRIGGER billing_triggered_wallet_alert_append_only BEFORE UPDATE OR DELETE ON billing_triggeredwalletalert
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER billing_wallet_depletion_append_only BEFORE UPDATE OR DELETE ON billing_walletdepletion
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER billing_top_up_firing_append_only BEFORE UPDATE OR DELETE ON billing_topupfiring
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""
BACKWARD = """
DROP TRIGGER billing_top_up_firing_append_only ON billing_topupfiring;
DROP TRIGGER billing_wallet_depletion_append_only ON billing_walletdepletion;
DROP TRIGGER billing_triggered_wallet_alert_append_only ON billing_triggeredwalletalert;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0024_anchor_date"),
        ("customers", "0001_initial"),
        ("invoicing", "0014_wallets"),
        ("platform", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="WalletAlert",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "alert_type",
                    models.CharField(
                        choices=[
                            ("wallet_balance_amount", "balance"),
                            ("wallet_credits_balance", "credits"),
                            ("wallet_ongoing_balance_amount", "ongoing balance"),
                            ("wallet_credits_ongoing_balance", "ongoing credits"),
                        ],
                        max_length=64,
                    ),
                ),
                ("code", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                ("previous_value", models.DecimalField(decimal_places=15, max_digits=40)),
                ("last_processed_at", models.DateTimeField(editable=False, null=True)),
                ("firings", models.PositiveIntegerField(default=0, editable=False)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="alerts", to="invoicing.wallet"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="TriggeredWalletAlert",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "alert_type",
                    models.CharField(
                        choices=[
                            ("wallet_balance_amount", "balance"),
                            ("wallet_credits_balance", "credits"),
                            ("wallet_ongoing_balance_amount", "ongoing balance"),
                            ("wallet_credits_ongoing_balance", "ongoing credits"),
                        ],
                        max_length=64,
                    ),
                ),
                ("alert_code", models.CharField(max_length=255)),
                ("alert_name", models.CharField(blank=True, default="", max_length=255)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                ("previous_value", models.DecimalField(decimal_places=15, max_digits=40)),
                ("current_value", models.DecimalField(decimal_places=15, max_digits=40)),
                ("crossed", models.JSONField()),
                ("triggered_at", models.DateTimeField()),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="triggered", to="billing.walletalert"
                    ),
                ),
            ],
            options={
                "ordering": ["-triggered_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="WalletAlertThreshold",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="thresholds", to="billing.walletalert"
                    ),
                ),
            ],
            options={
                "ordering": ["recurring", "-value", "id"],
            },
        ),
        migrations.CreateModel(
            name="WalletCheck",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet_checks",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "check of wallets",
                "verbose_name_plural": "checks of wallets",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="WalletCursor",
            fields=[
                ("singleton", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("singleton", True)), name="billing_wallet_cursor_single")
                ],
            },
        ),
        migrations.CreateModel(
            name="WalletDepletion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveIntegerField()),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "ongoing_balance_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="ongoing balance"
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="depletions", to="invoicing.wallet"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="TopUpFiring",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveIntegerField()),
                ("day", models.DateField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("topped_up", "topped up"), ("nothing", "nothing lacked"), ("refused", "refused")],
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("ongoing_credits", models.DecimalField(decimal_places=15, max_digits=40)),
                ("pending_credits", models.DecimalField(decimal_places=15, max_digits=40)),
                ("paid_credits", models.DecimalField(decimal_places=15, default=Decimal, max_digits=40)),
                ("granted_credits", models.DecimalField(decimal_places=15, default=Decimal, max_digits=40)),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="firings",
                        to="invoicing.recurringtransactionrule",
                    ),
                ),
            ],
            options={
                "verbose_name": "firing of a top-up rule",
                "verbose_name_plural": "firings of top-up rules",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("rule", "number"), name="billing_top_up_firing_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("day__isnull", False)),
                        fields=("rule", "day"),
                        name="billing_top_up_firing_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("outcome", "topped_up"),
                                models.Q(("paid_credits__gt", 0), ("granted_credits__gt", 0), _connector="OR"),
                            ),
                            models.Q(("outcome", "topped_up"), _negated=True),
                            _connector="OR",
                        ),
                        name="billing_top_up_firing_credits",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="walletalert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=("wallet", "code"),
                name="billing_wallet_alert_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletalert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=("wallet", "alert_type"),
                name="billing_wallet_alert_type",
            ),
        ),
        migrations.AddIndex(
            model_name="triggeredwalletalert",
            index=models.Index(fields=["-triggered_at", "-id"], name="billing_triggered_wallet_at"),
        ),
        migrations.AddConstraint(
            model_name="triggeredwalletalert",
            constraint=models.UniqueConstraint(fields=("alert", "number"), name="billing_triggered_wallet_alert_once"),
        ),
        migrations.AddConstraint(
            model_name="triggeredwalletalert",
            constraint=models.CheckConstraint(
                condition=models.Q(("current_value__lt", models.F("previous_value"))),
                name="billing_triggered_wallet_alert_falls",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletalertthreshold",
            constraint=models.UniqueConstraint(
                fields=("alert", "value", "recurring"), name="billing_wallet_threshold_value"
            ),
        ),
        migrations.AddConstraint(
            model_name="walletalertthreshold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("recurring", True)), fields=("alert",), name="billing_wallet_threshold_recurring"
            ),
        ),
        migrations.AddConstraint(
            model_name="walletalertthreshold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("recurring", True), ("value__gt", 0)),
                    models.Q(("recurring", False), ("value__gte", 0)),
                    _connector="OR",
                ),
                name="billing_wallet_threshold_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletdepletion",
            constraint=models.UniqueConstraint(fields=("wallet", "number"), name="billing_wallet_depletion_once"),
        ),
        migrations.AddConstraint(
            model_name="walletdepletion",
            constraint=models.CheckConstraint(
                condition=models.Q(("ongoing_balance_amount__lte", 0)), name="billing_wallet_depletion_nothing"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
