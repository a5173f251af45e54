"""Usage on demand: what subscriptions used before they were billed here."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_late_usage"), ("customers", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="LifetimeUsage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("external_subscription_id", models.CharField(max_length=255)),
                ("historical_amount_cents", models.PositiveBigIntegerField(default=0)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lifetime_usages",
                        to="customers.customer",
                    ),
                ),
            ],
            options={"verbose_name": "lifetime usage", "verbose_name_plural": "lifetime usages"},
        ),
        migrations.AddConstraint(
            model_name="lifetimeusage",
            constraint=models.UniqueConstraint(
                fields=("customer", "external_subscription_id"), name="billing_lifetime_usage_once"
            ),
        ),
    ]
