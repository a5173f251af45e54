"""Usage thresholds of plan versions."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_minimum_commitments")]

    operations = [
        migrations.CreateModel(
            name="UsageThreshold",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("amount_cents", models.PositiveBigIntegerField()),
                ("recurring", models.BooleanField(default=False)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                (
                    "plan_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="usage_thresholds",
                        to="catalog.planversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "usage threshold",
                "ordering": ["recurring", "amount_cents", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("plan_version", "key"), name="catalog_usage_threshold_key"),
                    models.UniqueConstraint(
                        fields=("plan_version", "amount_cents", "recurring"), name="catalog_usage_threshold_amount"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("recurring", True)),
                        fields=("plan_version",),
                        name="catalog_usage_threshold_recurring",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_cents__gt", 0)), name="catalog_usage_threshold_positive"
                    ),
                ],
            },
        ),
    ]
