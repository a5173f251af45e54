"""What was billed too little and waits for the next invoice; what it bills stays as it was agreed."""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE FUNCTION billing_freeze_owed_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['line_id', 'dropped_at', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.dropped_at IS NOT NULL OR to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'line % for the next invoice: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_owed_line_frozen BEFORE UPDATE OR DELETE ON billing_owedline
    FOR EACH ROW EXECUTE FUNCTION billing_freeze_owed_line();
"""
BACKWARD = """
DROP TRIGGER billing_owed_line_frozen ON billing_owedline;
DROP FUNCTION billing_freeze_owed_line();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0027_books"), ("customers", "0004_documents"), ("invoicing", "0021_corrections")]

    operations = [
        migrations.CreateModel(
            name="OwedLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("apart", models.CharField(blank=True, default="", max_length=255)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                ("units", models.DecimalField(decimal_places=15, max_digits=40)),
                ("unit_amount", models.DecimalField(decimal_places=15, max_digits=40)),
                ("dropped_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "billing_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.billingentity"
                    ),
                ),
                (
                    "corrected",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="owed", to="invoicing.correctedline"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="owed_lines", to="customers.customer"
                    ),
                ),
                (
                    "line",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="owed",
                        to="invoicing.invoiceline",
                    ),
                ),
            ],
            options={
                "verbose_name": "line for the next invoice",
                "verbose_name_plural": "lines for the next invoice",
                "ordering": ["id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("dropped_at__isnull", True), ("line__isnull", True)),
                        fields=["customer"],
                        name="billing_owed_line_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="billing_owed_line_amount"),
                    models.CheckConstraint(
                        condition=models.Q(("dropped_at__isnull", True), ("line__isnull", True), _connector="OR"),
                        name="billing_owed_line_dropped",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
