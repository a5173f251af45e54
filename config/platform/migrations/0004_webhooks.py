"""Webhooks: endpoints, the outbox and its deliveries."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0003_late_usage"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("object_key", models.CharField(max_length=128)),
                ("state", models.CharField(choices=[("pending", "waiting"), ("delivered", "delivered"), ("failed", "given up"), ("dropped", "dropped")], default="pending", max_length=16)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "webhook deliveries",
                "ordering": ["-id"],
                "permissions": [("replay_webhookdelivery", "Can send webhooks again")],
            },
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("at", models.DateTimeField()),
                ("milliseconds", models.PositiveIntegerField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("error", models.CharField(blank=True, default="", max_length=255)),
                ("answer", models.TextField(blank=True, default="")),
                ("delivery", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="attempt_log", to="platform.webhookdelivery")),
            ],
            options={
                "verbose_name": "attempt",
                "ordering": ["id"],
                "indexes": [models.Index(fields=["at"], name="platform_webhookattempt_at")],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("webhook_url", models.TextField()),
                ("signature_algo", models.CharField(choices=[("jwt", "JWT (RS256)"), ("hmac", "HMAC-SHA256")], default="jwt", max_length=8)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                ("event_types", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, null=True, size=None)),
                ("updated_at", models.DateTimeField(editable=False, null=True)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                ("disabled_at", models.DateTimeField(editable=False, null=True)),
                ("failures", models.PositiveIntegerField(default=0, editable=False)),
                ("resting_until", models.DateTimeField(editable=False, null=True)),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("last_delivered_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "webhook endpoint",
                "ordering": ["-created_at", "-id"],
                "permissions": [("test_webhookendpoint", "Can send a test to webhook endpoints"), ("show_webhookkeys", "Can see the keys that sign webhooks")],
                "constraints": [models.UniqueConstraint(condition=models.Q(("deleted_at__isnull", True)), fields=("webhook_url",), name="platform_webhookendpoint_url"), models.CheckConstraint(condition=models.Q(("event_types__isnull", True), models.Q(("event_types", []), _negated=True), _connector="OR"), name="platform_webhookendpoint_event_types")],
            },
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="endpoint",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="deliveries", to="platform.webhookendpoint"),
        ),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("event_type", models.CharField(max_length=64)),
                ("object_type", models.CharField(max_length=64)),
                ("object_key", models.CharField(max_length=128)),
                ("at", models.DateTimeField()),
                ("body", models.TextField()),
            ],
            options={
                "verbose_name": "event",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["object_key", "id"], name="platform_webhookevent_object"), models.Index(fields=["event_type", "id"], name="platform_webhookevent_type"), models.Index(fields=["at"], name="platform_webhookevent_at")],
            },
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="event",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="platform.webhookevent"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(condition=models.Q(("state", "pending")), fields=["endpoint", "next_attempt_at"], name="platform_webhookdelivery_due"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(condition=models.Q(("state", "pending")), fields=["endpoint", "object_key", "id"], name="platform_webhookdelivery_order"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(condition=models.Q(("claimed_until__isnull", False), ("state", "pending")), fields=["endpoint", "claimed_until"], name="platform_webhookdelivery_lease"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["object_key", "id"], name="platform_webhookdelivery_of"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(fields=("event", "endpoint"), name="platform_webhookdelivery_once"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(condition=models.Q(models.Q(("delivered_at__isnull", False), ("state", "delivered")), models.Q(models.Q(("state", "delivered"), _negated=True), ("delivered_at__isnull", True)), _connector="OR"), name="platform_webhookdelivery_delivered"),
        ),
    ]
