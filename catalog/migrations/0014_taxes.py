"""Taxes: who keeps them, rates by country, prices that include them."""

import uuid

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0013_coupons")]

    operations = [
        migrations.AddField(
            model_name="tax",
            name="origin",
            field=models.CharField(
                choices=[
                    ("manual", "kept by hand"),
                    ("eu", "kept by the product: VAT of the EU"),
                    ("engine", "told by a tax engine"),
                ],
                default="manual",
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AddField(model_name="tax", name="legal_note", field=models.TextField(blank=True, default="")),
        migrations.AddField(model_name="planversion", name="tax_inclusive", field=models.BooleanField(default=False)),
        migrations.AddField(model_name="charge", name="tax_inclusive", field=models.BooleanField(null=True)),
        migrations.AddField(model_name="addon", name="tax_inclusive", field=models.BooleanField(default=False)),
        migrations.CreateModel(
            name="VatRate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("country", models.CharField(max_length=2)),
                ("territory", models.CharField(blank=True, default="", max_length=64)),
                ("name", models.CharField(max_length=255)),
                ("rate", models.DecimalField(decimal_places=8, max_digits=12)),
                ("postcodes", models.CharField(blank=True, default="", max_length=255)),
                ("for_companies", models.BooleanField(default=False)),
                ("effective_from", models.DateField()),
                ("source", models.CharField(max_length=255)),
            ],
            options={
                "verbose_name": "VAT rate",
                "ordering": ["country", "territory", "effective_from"],
                "constraints": [
                    models.UniqueConstraint(fields=("country", "territory", "effective_from"), name="catalog_vat_rate"),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gte", 0), ("rate__lte", 1)), name="catalog_vat_rate_fraction"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("postcodes", ""), ("territory", "")),
                            models.Q(
                                models.Q(("territory", ""), _negated=True),
                                models.Q(("postcodes", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="catalog_vat_rate_territory",
                    ),
                ],
            },
        ),
    ]
