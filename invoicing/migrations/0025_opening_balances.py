"""What customers owed or had with a former system."""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

TRIGGERS = """
CREATE TRIGGER invoicing_openingbalance_append_only BEFORE UPDATE OR DELETE ON invoicing_openingbalance
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_openingsettlement_append_only BEFORE UPDATE OR DELETE ON invoicing_openingsettlement
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""
NO_TRIGGERS = """
DROP TRIGGER invoicing_openingsettlement_append_only ON invoicing_openingsettlement;
DROP TRIGGER invoicing_openingbalance_append_only ON invoicing_openingbalance;
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0024_write_offs")]

    operations = [
        migrations.CreateModel(
            name="OpeningBalance",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("kind", models.CharField(choices=[("owed", "owed"), ("credit", "credit")], max_length=16)),
                ("reference", models.CharField(max_length=255)),
                ("issuing_date", models.DateField()),
                ("due_date", models.DateField()),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "original_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="amount"
                    ),
                ),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="open"
                    ),
                ),
                (
                    "billing_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opening_balances",
                        to="customers.billingentity",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opening_balances",
                        to="customers.customer",
                    ),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opening_balance",
                        to="invoicing.ledgerentry",
                    ),
                ),
            ],
            options={
                "verbose_name": "opening balance",
                "ordering": ["-id"],
                "permissions": [("settle_openingbalance", "Can settle an opening balance")],
            },
        ),
        migrations.CreateModel(
            name="OpeningSettlement",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("paid", "paid"), ("written_off", "written off"), ("paid_back", "paid back")],
                        max_length=16,
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="settled"
                    ),
                ),
                ("idempotency_key", models.UUIDField(editable=False, null=True, unique=True)),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opening_settlement",
                        to="invoicing.ledgerentry",
                    ),
                ),
                (
                    "opening",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlements",
                        to="invoicing.openingbalance",
                    ),
                ),
            ],
            options={
                "verbose_name": "settlement of an opening balance",
                "verbose_name_plural": "settlements of opening balances",
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="openingbalance",
            constraint=models.UniqueConstraint(
                fields=("billing_entity", "customer", "kind", "reference"), name="invoicing_opening_reference"
            ),
        ),
        migrations.AddConstraint(
            model_name="openingbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("original_amount__gte", models.F("amount"))),
                name="invoicing_opening_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="openingbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(("due_date__gte", models.F("issuing_date"))), name="invoicing_opening_dates"
            ),
        ),
        migrations.AddConstraint(
            model_name="openingsettlement",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="invoicing_opening_settled"),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
