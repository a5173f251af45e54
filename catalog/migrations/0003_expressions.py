"""Expressions by which metrics compute a property of their events."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_models"), ("catalog", "0002_advance")]
    operations = [
        migrations.AddField(
            model_name="billablemetric", name="expression", field=models.TextField(blank=True, default="")
        ),
        migrations.AddConstraint(
            model_name="billablemetric",
            constraint=models.CheckConstraint(
                condition=models.Q(("expression", ""), models.Q(("field_name", ""), _negated=True), _connector="OR"),
                name="catalog_metric_expression",
            ),
        ),
    ]
