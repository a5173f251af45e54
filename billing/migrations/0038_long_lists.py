"""What lists and pages of very much usage are shown from: counts of events, and indexes for ways of narrowing."""

from __future__ import annotations

from django.db import migrations, models

INDEXES = (
    # Texts of events sort by their bytes: without it no index leads from an event to its subscription.
    ("billing_subscription_events", 'billing_subscription (external_id COLLATE "C")'),
    ("billing_subscription_po_starts", "billing_subscription (upper(purchase_order_number) text_pattern_ops)"),
    ("billing_contract_po_starts", "billing_contract (upper(purchase_order_number) text_pattern_ops)"),
    ("billing_quote_prospect_starts", "billing_quote (upper(prospect ->> 'name') text_pattern_ops)"),
)
"""Name, and what it is on."""


class Migration(migrations.Migration):
    dependencies = [("billing", "0037_quote_deliveries")]

    operations = [
        migrations.CreateModel(
            name="UsageCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("starts_at", models.DateTimeField()),
                ("code", models.TextField()),
                ("events", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "count of usage events",
                "verbose_name_plural": "counts of usage events",
                "constraints": [models.UniqueConstraint(fields=("starts_at", "code"), name="billing_usage_count_once")],
            },
        ),
        migrations.CreateModel(
            name="UsageCountCursor",
            fields=[
                ("singleton", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
                ("counted_at", models.DateTimeField(null=True)),
                ("not_billable", models.JSONField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("singleton", True)), name="billing_usage_count_cursor_single"
                    )
                ],
            },
        ),
        *(migrations.RunSQL(f"CREATE INDEX {name} ON {rest}", f"DROP INDEX {name}") for name, rest in INDEXES),
    ]
