"""Adjusted lines of drafts, frozen with their invoices; the seller and the texts of a subscription's invoices."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION billing_freeze_adjusted_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM invoicing_refuse_unless_draft(OLD.invoice_id, 'adjusted lines'); END IF;
    IF TG_OP <> 'DELETE' THEN PERFORM invoicing_refuse_unless_draft(NEW.invoice_id, 'adjusted lines'); END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER billing_adjusted_line_frozen BEFORE INSERT OR UPDATE OR DELETE ON billing_adjustedline
    FOR EACH ROW EXECUTE FUNCTION billing_freeze_adjusted_line();
"""
BACKWARD = """
DROP TRIGGER billing_adjusted_line_frozen ON billing_adjustedline;
DROP FUNCTION billing_freeze_adjusted_line();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0025_wallets"), ("customers", "0004_documents"), ("invoicing", "0017_voids")]

    operations = [
        migrations.CreateModel(
            name="AdjustedLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjusted_lines",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjusted_lines",
                        to="billing.subscription",
                    ),
                ),
                ("item_key", models.BigIntegerField()),
                ("charge_key", models.UUIDField(editable=False, null=True)),
                ("filter_key", models.UUIDField(editable=False, null=True)),
                ("group", models.JSONField(blank=True, default=dict)),
                ("from_at", models.DateTimeField()),
                ("to_at", models.DateTimeField()),
                ("units", models.DecimalField(decimal_places=15, max_digits=40, null=True)),
                ("unit_amount", models.DecimalField(decimal_places=15, max_digits=40, null=True)),
                ("label", models.CharField(blank=True, default="", max_length=512)),
                ("reason", models.TextField(blank=True, default="")),
                ("adjusted_by", models.CharField(max_length=255)),
                ("adjusted_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "adjusted line",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invoice", "subscription", "item_key", "from_at"), name="billing_adjusted_line_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("units__isnull", False),
                            ("unit_amount__isnull", False),
                            models.Q(("label", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="billing_adjusted_line_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("units__isnull", True), ("units__gte", 0), _connector="OR"),
                            models.Q(("unit_amount__isnull", True), ("unit_amount__gte", 0), _connector="OR"),
                        ),
                        name="billing_adjusted_line_amounts",
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddField(
            model_name="subscription",
            name="billing_entity",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscriptions",
                to="customers.billingentity",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="custom_section_ids",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
