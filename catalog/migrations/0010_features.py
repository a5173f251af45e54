"""Features, their privileges, and what plans give of them."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_usage_thresholds")]

    operations = [
        migrations.CreateModel(
            name="Feature",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("code", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                ("description", models.CharField(blank=True, default="", max_length=600)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at__isnull", True)), fields=("code",), name="catalog_feature_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code", ""), _negated=True), name="catalog_feature_has_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Privilege",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("code", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                (
                    "value_type",
                    models.CharField(
                        choices=[
                            ("integer", "number"),
                            ("string", "text"),
                            ("boolean", "yes or no"),
                            ("select", "one of"),
                        ],
                        default="string",
                        max_length=16,
                    ),
                ),
                ("select_options", models.JSONField(blank=True, default=list)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "feature",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="privileges", to="catalog.feature"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=("feature", "code"),
                        name="catalog_privilege_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code", ""), _negated=True), name="catalog_privilege_has_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("value_type", "select"), models.Q(("select_options", []), _negated=True)),
                            models.Q(models.Q(("value_type", "select"), _negated=True), ("select_options", [])),
                            _connector="OR",
                        ),
                        name="catalog_privilege_options",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanEntitlement",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "feature",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_entitlements",
                        to="catalog.feature",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entitlements", to="catalog.plan"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "feature"), name="catalog_plan_entitlement_feature")
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanPrivilege",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("value", models.JSONField()),
                (
                    "entitlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="privileges",
                        to="catalog.planentitlement",
                    ),
                ),
                (
                    "privilege",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_privileges",
                        to="catalog.privilege",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entitlement", "privilege"), name="catalog_plan_privilege_privilege"
                    )
                ],
            },
        ),
    ]
