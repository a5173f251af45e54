"""Rated charges know the group of usage that they are for, and which line they top up to its charge's minimum."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_expressions"), ("invoicing", "0003_balanced_ledger")]
    operations = [
        migrations.AddField(model_name="ratedcharge", name="group", field=models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            model_name="ratedcharge",
            name="true_up_of",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="true_ups",
                to="invoicing.invoiceline",
            ),
        ),
    ]
