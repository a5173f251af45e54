"""Moving subscriptions to another version of their plan."""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.conf import settings
from django.db import migrations, models

import config.kernel.db


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0017_entitlements"),
        ("catalog", "0011_plan_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PlanMigration",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "timing",
                    models.CharField(
                        choices=[("now", "now"), ("period_end", "at the end of each period"), ("date", "on a date")],
                        default="now",
                        max_length=16,
                    ),
                ),
                ("change_date", models.DateField(null=True)),
                ("reason", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("submitted", "waits for approval"),
                            ("approved", "approved"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "done with failures"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="draft",
                        max_length=16,
                    ),
                ),
                ("made_by_label", models.CharField(max_length=255)),
                ("previewed_at", models.DateTimeField(null=True)),
                ("submitted_at", models.DateTimeField(null=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "from_version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.planversion",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="migrations", to="catalog.plan"
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "to_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.planversion"
                    ),
                ),
            ],
            options={
                "verbose_name": "plan migration",
                "ordering": ["-created_at", "-id"],
                "permissions": [("approve_plan_migration", "Can approve plan migrations that somebody else made")],
            },
        ),
        migrations.CreateModel(
            name="PlanMigrationItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("moved", "moved"),
                            ("scheduled", "scheduled"),
                            ("skipped", "left out"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("reason_code", models.CharField(blank=True, default="", max_length=255)),
                ("reason", models.TextField(blank=True, default="")),
                ("seen", models.CharField(max_length=255)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "before_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, null=True
                    ),
                ),
                (
                    "after_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, null=True
                    ),
                ),
                (
                    "difference_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, null=True
                    ),
                ),
                ("moved_at", models.DateTimeField(null=True)),
                (
                    "from_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.planversion"
                    ),
                ),
                (
                    "migration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="billing.planmigration"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_migrations",
                        to="billing.subscription",
                    ),
                ),
            ],
            options={
                "verbose_name": "plan migration item",
                "ordering": ["id"],
            },
        ),
        migrations.AddConstraint(
            model_name="planmigration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["approved", "running", "done", "failed"]), _negated=True),
                    models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                    _connector="OR",
                ),
                name="billing_plan_migration_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="planmigration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_by", models.F("made_by")), _negated=True),
                    models.Q(("approved_by", models.F("submitted_by")), _negated=True),
                ),
                name="billing_plan_migration_second_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="planmigration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["submitted", "approved", "running", "done", "failed"]), _negated=True),
                    models.Q(("previewed_at__isnull", False), ("submitted_by__isnull", False)),
                    _connector="OR",
                ),
                name="billing_plan_migration_submitted",
            ),
        ),
        migrations.AddConstraint(
            model_name="planmigration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("change_date__isnull", False), ("timing", "date")),
                    models.Q(models.Q(("timing", "date"), _negated=True), ("change_date__isnull", True)),
                    _connector="OR",
                ),
                name="billing_plan_migration_date",
            ),
        ),
        migrations.AddIndex(
            model_name="planmigrationitem",
            index=models.Index(fields=["migration", "state"], name="billing_plan_migration_state"),
        ),
        migrations.AddConstraint(
            model_name="planmigrationitem",
            constraint=models.UniqueConstraint(
                fields=("migration", "subscription"), name="billing_plan_migration_item"
            ),
        ),
        migrations.AddConstraint(
            model_name="planmigrationitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["moved", "scheduled"]), _negated=True),
                    ("moved_at__isnull", False),
                    _connector="OR",
                ),
                name="billing_plan_migration_item_moved",
            ),
        ),
    ]
