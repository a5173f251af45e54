"""Minimum commitments of plan versions."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_life")]

    operations = [
        migrations.CreateModel(
            name="MinimumCommitment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("amount_cents", models.PositiveBigIntegerField()),
                ("invoice_display_name", models.CharField(blank=True, default="", max_length=255)),
                (
                    "plan_version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="minimum_commitment",
                        to="catalog.planversion",
                    ),
                ),
                (
                    "taxes",
                    models.ManyToManyField(blank=True, related_name="minimum_commitments", to="catalog.tax"),
                ),
            ],
            options={
                "verbose_name": "minimum commitment",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_cents__gt", 0)), name="catalog_minimum_commitment_amount"
                    )
                ],
            },
        ),
    ]
