"""Versions of plans that are private to a contract, and those that are sold from a date on."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_offers'),
    ]

    operations = [
        migrations.AddField(
            model_name='planversion',
            name='base',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='private', to='catalog.planversion'),
        ),
        migrations.AddField(
            model_name='planversion',
            name='effective_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='planversion',
            name='overrides',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('base__isnull', True), ('is_current', False), _connector='OR'), name='catalog_plan_version_private'),
        ),
    ]
