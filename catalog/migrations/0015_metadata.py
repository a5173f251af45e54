"""Metadata of plans, and plans that are to be retired once nobody has them any more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0014_taxes"),
    ]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="metadata",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="plan",
            name="deletion_asked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
