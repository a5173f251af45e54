"""The installation's policy for late usage."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("platform", "0002_append_only")]
    operations = [
        migrations.AddField(
            model_name="installation",
            name="late_usage_policy",
            field=models.CharField(
                choices=[
                    ("hold", "hold for a person"),
                    ("bill", "bill with the next invoice"),
                    ("correct", "correct at once"),
                    ("waive", "waive below an amount"),
                ],
                default="hold",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="late_usage_waive_below",
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=20, null=True),
        ),
        migrations.AddConstraint(
            model_name="installation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("late_usage_policy", "waive"), _negated=True),
                    ("late_usage_waive_below__gt", 0),
                    _connector="OR",
                ),
                name="platform_installation_late_usage",
            ),
        ),
    ]
