"""Recurring metrics, weighted sums, and charges that count days."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_expressions")]

    operations = [
        migrations.AddField(model_name="billablemetric", name="recurring", field=models.BooleanField(default=False)),
        migrations.AlterField(
            model_name="billablemetric",
            name="aggregation_type",
            field=models.CharField(
                choices=[
                    ("count_agg", "count"),
                    ("sum_agg", "sum"),
                    ("max_agg", "maximum"),
                    ("unique_count_agg", "unique count"),
                    ("latest_agg", "latest"),
                    ("weighted_sum_agg", "weighted sum"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="billablemetric",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("recurring", False),
                    ("aggregation_type__in", ["sum_agg", "unique_count_agg", "weighted_sum_agg"]),
                    _connector="OR",
                ),
                name="catalog_metric_recurring",
            ),
        ),
        migrations.AddField(model_name="charge", name="prorated", field=models.BooleanField(default=False)),
    ]
