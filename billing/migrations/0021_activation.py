"""Activation by a payment."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0020_alerts"), ("invoicing", "0010_open_invoices")]

    operations = [
        migrations.CreateModel(
            name="ActivationRule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "type",
                    models.CharField(choices=[("payment", "the first payment")], default="payment", max_length=16),
                ),
                ("timeout_hours", models.PositiveIntegerField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("inactive", "waits for the start"),
                            ("pending", "waits for the payment"),
                            ("satisfied", "paid"),
                            ("declined", "declined"),
                            ("failed", "the payment failed"),
                            ("expired", "not paid in time"),
                            ("not_applicable", "nothing was to be paid"),
                        ],
                        default="inactive",
                        max_length=16,
                    ),
                ),
                ("expires_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("next_billing_date", models.DateField(null=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "invoice",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activation_rule",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activation_rules",
                        to="billing.subscription",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False), ("status", "pending")),
                        fields=["expires_at"],
                        name="billing_activation_rule_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("subscription", "type"), name="billing_activation_rule_type"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "pending"), _negated=True),
                            models.Q(
                                ("invoice__isnull", False),
                                ("next_billing_date__isnull", False),
                                ("started_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="billing_activation_rule_pending",
                    ),
                ],
            },
        ),
    ]
