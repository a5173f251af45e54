"""The date that a subscription's periods are counted from, kept when its customer moves to another time zone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0023_overrides")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="anchor_date",
            field=models.DateField(editable=False, null=True),
        ),
    ]
