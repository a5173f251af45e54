"""The log of requests and the security log."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0005_access"),
    ]

    operations = [
        migrations.CreateModel(
            name='RequestLog',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('request_id', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
                ('method', models.CharField(max_length=16)),
                ('path', models.TextField()),
                ('query', models.TextField(blank=True, default='')),
                ('status', models.PositiveSmallIntegerField()),
                ('duration_ms', models.PositiveIntegerField()),
                ('client', models.CharField(blank=True, default='', max_length=512)),
                ('address', models.CharField(blank=True, default='', max_length=64)),
                ('request_body', models.TextField(blank=True, default='')),
                ('response_body', models.TextField(blank=True, default='')),
            ],
            options={
                'verbose_name': 'API request',
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='SecurityLog',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('api_key', 'API key'), ('user', 'person'), ('role', 'role'), ('sign_in', 'sign-in')], max_length=16)),
                ('event', models.CharField(max_length=64)),
                ('actor_label', models.CharField(blank=True, default='', max_length=255)),
                ('user_id', models.BigIntegerField(null=True)),
                ('user_email', models.CharField(blank=True, default='', max_length=254)),
                ('address', models.CharField(blank=True, default='', max_length=64)),
                ('client', models.CharField(blank=True, default='', max_length=512)),
                ('resources', models.JSONField(default=dict)),
            ],
            options={
                'verbose_name': 'security entry',
                'verbose_name_plural': 'security log',
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.AddField(
            model_name='requestlog',
            name='api_key',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='platform.apikey', verbose_name='API key'),
        ),
        migrations.AddField(
            model_name='securitylog',
            name='api_key',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='platform.apikey', verbose_name='API key'),
        ),
        migrations.AddIndex(
            model_name='requestlog',
            index=models.Index(fields=['-at', '-id'], name='platform_request_at'),
        ),
        migrations.AddIndex(
            model_name='requestlog',
            index=models.Index(fields=['api_key', '-at'], name='platform_request_key'),
        ),
        migrations.AddIndex(
            model_name='requestlog',
            index=models.Index(fields=['request_id'], name='platform_request_id'),
        ),
        migrations.AddIndex(
            model_name='securitylog',
            index=models.Index(fields=['-at', '-id'], name='platform_security_at'),
        ),
        migrations.AddIndex(
            model_name='securitylog',
            index=models.Index(fields=['user_id', '-at'], name='platform_security_user'),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor_kind",
            field=models.CharField(
                choices=[
                    ("user", "person"),
                    ("api_key", "API client"),
                    ("job", "job"),
                    ("system", "system"),
                    ("customer", "customer"),
                ],
                max_length=16,
            ),
        ),
    ]
