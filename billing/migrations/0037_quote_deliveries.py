"""E-mails that bring order forms to customers."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0036_lists")]

    operations = [
        migrations.CreateModel(
            name="QuoteDelivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("offer", "offer"), ("reminder", "reminder")], default="offer", max_length=16
                    ),
                ),
                ("recipients", models.JSONField(default=list)),
                ("message", models.TextField(blank=True, default="")),
                ("sealed_token", models.TextField(blank=True, default="", editable=False)),
                ("subject", models.CharField(blank=True, default="", max_length=255)),
                ("message_id", models.CharField(blank=True, default="", max_length=255)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "waiting"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("dropped", "not needed any more"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(editable=False, null=True)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "order_form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="deliveries", to="billing.orderform"
                    ),
                ),
            ],
            options={
                "verbose_name": "e-mail of an order form",
                "verbose_name_plural": "e-mails of order forms",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["next_attempt_at"],
                        name="billing_quote_delivery_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("order_form", "number"), name="billing_quote_delivery_number"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "reminder")),
                        fields=("order_form",),
                        name="billing_quote_delivery_reminder",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "sent"), _negated=True), ("sent_at__isnull", False), _connector="OR"
                        ),
                        name="billing_quote_delivery_sent",
                    ),
                ],
            },
        ),
    ]
