"""Chosen times of changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_progressive")]

    operations = [
        migrations.AlterField(
            model_name="subscription",
            name="ended_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("upgrade", "a change of plan within a period"),
                    ("downgrade", "a change of plan at the end of a period"),
                    ("pause", "a pause"),
                ],
                default="",
                editable=False,
                max_length=16,
            ),
        ),
    ]
