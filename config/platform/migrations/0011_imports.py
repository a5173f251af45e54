"""Files that were imported."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0010_saved_filters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportFile",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("kind", models.CharField(max_length=32)),
                ("file_name", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("uploaded", "columns to choose"),
                            ("checking", "being checked"),
                            ("checked", "checked, nothing written"),
                            ("writing", "being written"),
                            ("done", "written"),
                            ("abandoned", "put aside"),
                        ],
                        default="uploaded",
                        max_length=16,
                    ),
                ),
                ("headers", models.JSONField(default=list)),
                ("columns", models.JSONField(default=dict)),
                ("layout", models.JSONField(default=dict)),
                ("options", models.JSONField(default=dict)),
                ("is_all_or_nothing", models.BooleanField(default=False)),
                ("remark", models.TextField(blank=True, default="")),
                ("uploaded_label", models.CharField(max_length=255)),
                ("confirmed_label", models.CharField(blank=True, default="", max_length=255)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "verbose_name_plural": "imports",
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("import_customers", "Can import customers"),
                    ("import_plans", "Can import plans"),
                    ("import_prices", "Can import prices"),
                    ("import_opening_balances", "Can import opening balances"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveIntegerField()),
                ("cells", models.JSONField(default=list)),
                ("key", models.CharField(blank=True, default="", max_length=600)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("pending", "not checked yet"),
                            ("new", "new"),
                            ("changed", "changed"),
                            ("unchanged", "unchanged"),
                            ("refused", "refused"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("column", models.CharField(blank=True, default="", max_length=255)),
                ("message", models.TextField(blank=True, default="")),
                ("changes", models.JSONField(default=list)),
                ("object_type", models.CharField(blank=True, default="", max_length=64)),
                ("object_id", models.BigIntegerField(null=True)),
                ("object_label", models.CharField(blank=True, default="", max_length=255)),
                ("written_at", models.DateTimeField(null=True)),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rows", to="platform.importfile"
                    ),
                ),
            ],
            options={
                "verbose_name": "row of an import",
                "verbose_name_plural": "rows of imports",
                "ordering": ["file", "number"],
            },
        ),
        migrations.AddIndex(
            model_name="importfile",
            index=models.Index(fields=["-created_at", "-id"], name="platform_import_at"),
        ),
        migrations.AddIndex(
            model_name="importfile",
            index=models.Index(
                condition=models.Q(("status__in", ["checking", "writing"])),
                fields=["id"],
                name="platform_import_running",
            ),
        ),
        migrations.AddConstraint(
            model_name="importfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["writing", "done"]), _negated=True),
                    ("confirmed_at__isnull", False),
                    _connector="OR",
                ),
                name="platform_import_confirmed",
            ),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(fields=["file", "outcome", "number"], name="platform_import_row_outcome"),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.UniqueConstraint(fields=("file", "number"), name="platform_import_row_number"),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("written_at__isnull", True), ("outcome__in", ["new", "changed", "unchanged"]), _connector="OR"
                ),
                name="platform_import_row_written",
            ),
        ),
    ]
