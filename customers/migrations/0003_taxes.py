"""VAT of the European Union, checked numbers, exemption."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_coupons"), ("catalog", "0014_taxes")]

    operations = [
        migrations.AddField(
            model_name="billingentity",
            name="eu_tax_management",
            field=models.BooleanField(default=False, verbose_name="decides the VAT of its customers"),
        ),
        migrations.AddField(
            model_name="customer",
            name="awaits_tax_decision",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.CreateModel(
            name="TaxExemption",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("diplomatic", "diplomatic or consular mission"),
                            ("international", "international organisation"),
                            ("government", "public body"),
                            ("nonprofit", "charity or non-profit organisation"),
                            ("resale", "bought for resale"),
                            ("other", "other"),
                        ],
                        max_length=32,
                    ),
                ),
                ("legal_note", models.TextField(blank=True, default="")),
                ("certificate_number", models.CharField(blank=True, default="", max_length=255)),
                ("valid_until", models.DateField(blank=True, null=True)),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_exemption",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "exemption from tax",
                "verbose_name_plural": "exemptions from tax",
            },
        ),
        migrations.CreateModel(
            name="VatCheck",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.CharField(max_length=32, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "to be checked"), ("valid", "valid"), ("invalid", "not valid")],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("name", models.CharField(blank=True, default="", max_length=512)),
                ("address", models.TextField(blank=True, default="")),
                ("reference", models.CharField(blank=True, default="", max_length=64)),
                ("told_by", models.CharField(blank=True, default="", max_length=255)),
                ("checked_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("error", models.CharField(blank=True, default="", max_length=255)),
            ],
            options={
                "verbose_name": "check of a VAT number",
                "verbose_name_plural": "checks of VAT numbers",
                "ordering": ["-created_at", "-id"],
                "indexes": [models.Index(fields=["next_attempt_at"], name="customers_vat_check_next")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status", "pending"), ("checked_at__isnull", False), _connector="OR"),
                        name="customers_vat_check_answered",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="vat_check",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="customers",
                to="customers.vatcheck",
            ),
        ),
        migrations.CreateModel(
            name="TaxDecision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("by_hand", "set by hand"),
                            ("territory", "territory with a rate of its own"),
                            ("domestic_company", "company in the seller's country"),
                            ("reverse_charge", "company in another country of the EU"),
                            ("consumer", "no valid VAT number: the customer's country"),
                            ("unknown_country", "no country known: the seller's country"),
                            ("outside", "customer outside the EU"),
                        ],
                        max_length=32,
                    ),
                ),
                ("tax_code", models.CharField(blank=True, default="", max_length=255)),
                ("is_provisional", models.BooleanField(default=False)),
                ("facts", models.JSONField(default=dict)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_decisions",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision about taxes",
                "verbose_name_plural": "decisions about taxes",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["customer", "-id"], name="customers_tax_decision")],
            },
        ),
    ]
