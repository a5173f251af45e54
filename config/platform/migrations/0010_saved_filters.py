"""Filters of lists that people saved, and verbs done on all rows that a list shows."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("platform", "0009_queues"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("person_label", models.CharField(max_length=255)),
                ("object_type", models.CharField(max_length=64)),
                ("verb", models.CharField(max_length=64)),
                ("label", models.CharField(max_length=255)),
                ("query", models.CharField(blank=True, default="", max_length=2000)),
                ("values", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("ended", "ended"),
                            ("stopped", "stopped"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("total", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("address", models.CharField(blank=True, default="", max_length=64)),
                ("client", models.CharField(blank=True, default="", max_length=512)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "bulk run",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BulkRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("object_id", models.BigIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("done", "done"),
                            ("refused", "refused"),
                            ("asked", "asked"),
                            ("skipped", "skipped"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("object_label", models.CharField(blank=True, default="", max_length=255)),
                ("remark", models.CharField(blank=True, default="", max_length=1000)),
                ("at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rows", to="platform.bulkrun"
                    ),
                ),
            ],
            options={
                "verbose_name": "row of a bulk run",
                "verbose_name_plural": "rows of bulk runs",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("list_of", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=64)),
                ("query", models.CharField(max_length=2000)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
            ],
            options={
                "verbose_name": "saved filter",
                "ordering": ["list_of", "name", "id"],
                "permissions": [("share_savedfilter", "Can share saved filters with a role")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="StandardFilter",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("list_of", models.CharField(max_length=64)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "saved",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="platform.savedfilter"
                    ),
                ),
            ],
            options={
                "verbose_name": "standard filter",
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="bulkrun",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["id"], name="platform_bulk_run_open"
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrun",
            index=models.Index(fields=["person", "-id"], name="platform_bulk_run_person"),
        ),
        migrations.AddConstraint(
            model_name="bulkrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("state__in", ["waiting", "running"])),
                    models.Q(("ended_at__isnull", False), ("state__in", ["ended", "stopped"])),
                    _connector="OR",
                ),
                name="platform_bulk_run_ended",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrow",
            index=models.Index(fields=["run", "outcome", "id"], name="platform_bulk_row_outcome"),
        ),
        migrations.AddConstraint(
            model_name="bulkrow",
            constraint=models.UniqueConstraint(fields=("run", "object_id"), name="platform_bulk_row_once"),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(fields=("person", "list_of", "name"), name="platform_saved_filter_name"),
        ),
        migrations.AddConstraint(
            model_name="standardfilter",
            constraint=models.UniqueConstraint(fields=("person", "list_of"), name="platform_standard_filter_one"),
        ),
    ]
