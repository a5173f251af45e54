"""Entitlements."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_pauses"), ("catalog", "0010_features")]

    operations = [
        migrations.CreateModel(
            name="SubscriptionEntitlement",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("is_removed", models.BooleanField(default=False)),
                (
                    "feature",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscription_entitlements",
                        to="catalog.feature",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entitlements",
                        to="billing.subscription",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("subscription", "feature"), name="billing_entitlement_feature")
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionPrivilege",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("value", models.JSONField(null=True)),
                ("is_removed", models.BooleanField(default=False)),
                (
                    "entitlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="privileges",
                        to="billing.subscriptionentitlement",
                    ),
                ),
                (
                    "privilege",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscription_privileges",
                        to="catalog.privilege",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("entitlement", "privilege"), name="billing_privilege_privilege"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_removed", True), ("value__isnull", True)),
                            models.Q(("is_removed", False), ("value__isnull", False)),
                            _connector="OR",
                        ),
                        name="billing_privilege_value",
                    ),
                ],
            },
        ),
    ]
