"""Rights, rotation and limits of API keys, remembered answers of any kind, what roles were given."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0004_webhooks"),
    ]

    operations = [
        migrations.CreateModel(
            name='RateCount',
            fields=[
                ('api_key', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='platform.apikey')),
                ('minute_at', models.DateTimeField()),
                ('used', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='RoleDefault',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('name', models.CharField(max_length=150, unique=True)),
                ('rights', models.JSONField(default=list)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='apikey',
            name='addresses',
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='apikey',
            name='previous_digest',
            field=models.CharField(blank=True, editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='apikey',
            name='previous_hint',
            field=models.CharField(blank=True, default='', editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name='apikey',
            name='previous_until',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='apikey',
            name='rate_limit',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='apikey',
            name='rights',
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='apikey',
            name='rotated_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='idempotencyrecord',
            name='content',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='idempotencyrecord',
            name='headers',
            field=models.JSONField(default=dict),
        ),
        migrations.AlterField(
            model_name='idempotencyrecord',
            name='body',
            field=models.JSONField(null=True),
        ),
        migrations.AddIndex(
            model_name='idempotencyrecord',
            index=models.Index(fields=['created_at'], name='platform_idempotency_age'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(('rate_limit__isnull', True), ('rate_limit__gt', 0), _connector='OR'), name='platform_apikey_limit'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(('previous_digest__isnull', True), ('previous_until__isnull', False), _connector='OR'), name='platform_apikey_previous'),
        ),
        # Counts of a minute are worth no write to the disk: a crash may lose them.
        migrations.RunSQL("ALTER TABLE platform_ratecount SET UNLOGGED", migrations.RunSQL.noop),
    ]
