"""Second persons: rules and requests."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import config.kernel.db


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("platform", "0006_logs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApprovalRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("action", models.CharField(max_length=64)),
                ("verb", models.CharField(max_length=64)),
                ("verb_label", models.CharField(max_length=255)),
                ("object_type", models.CharField(max_length=64)),
                ("object_id", models.BigIntegerField(null=True)),
                ("object_label", models.CharField(max_length=255)),
                ("currency", config.kernel.db.CurrencyField(blank=True, default="", max_length=3)),
                ("amount", models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ("values", models.JSONField(default=dict)),
                ("shown", models.JSONField(default=list)),
                ("reason", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "waits"),
                            ("approved", "approved and done"),
                            ("rejected", "rejected"),
                            ("withdrawn", "withdrawn"),
                            ("failed", "could not be done"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("remark", models.TextField(blank=True, default="")),
            ],
            options={
                "verbose_name": "approval request",
                "verbose_name_plural": "approvals",
                "ordering": ["-asked_at", "-id"],
                "permissions": [("decide_approvalrequest", "Can approve or reject what others ask for")],
            },
        ),
        migrations.CreateModel(
            name="ApprovalRule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("action", models.CharField(max_length=64)),
                ("currency", config.kernel.db.CurrencyField(blank=True, default="", max_length=3)),
                ("above_amount", models.DecimalField(blank=True, decimal_places=4, max_digits=20, null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("updated_at", models.DateTimeField(editable=False)),
            ],
            options={
                "verbose_name": "approval rule",
                "ordering": ["action", "currency", "above_amount", "id"],
            },
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="groups",
            field=models.ManyToManyField(related_name="+", to="auth.group"),
        ),
        migrations.AddField(
            model_name="approvalrule",
            name="group",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="auth.group"),
        ),
        migrations.AddIndex(
            model_name="approvalrequest",
            index=models.Index(fields=["-asked_at", "-id"], name="platform_approval_at"),
        ),
        migrations.AddIndex(
            model_name="approvalrequest",
            index=models.Index(
                condition=models.Q(("status", "waiting")), fields=["asked_at"], name="platform_approval_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="approvalrequest",
            index=models.Index(fields=["object_type", "object_id"], name="platform_approval_object"),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "waiting")),
                fields=("action", "object_type", "object_id"),
                name="platform_approval_waits_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("status", "waiting")),
                    models.Q(
                        models.Q(("status", "waiting"), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="platform_approval_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    ("status", "withdrawn"),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="platform_approval_not_own",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "withdrawn"), _negated=True),
                    ("decided_by", models.F("asked_by")),
                    _connector="OR",
                ),
                name="platform_approval_own_withdrawal",
            ),
        ),
        migrations.AddIndex(
            model_name="approvalrule",
            index=models.Index(
                condition=models.Q(("is_active", True)), fields=["action"], name="platform_approval_rule_action"
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("above_amount__isnull", True), ("currency", "")),
                    models.Q(
                        models.Q(("currency", ""), _negated=True),
                        ("above_amount__gte", 0),
                        ("above_amount__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="platform_approval_rule_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("action", "currency", "above_amount", "group"),
                name="platform_approval_rule_once",
                nulls_distinct=False,
            ),
        ),
    ]
