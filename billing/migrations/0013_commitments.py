"""Minimum commitments: the time whose minimum an invoice settles, and the days that it is committed to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0012_life")]

    operations = [
        migrations.AddField(
            model_name="billedperiod", name="commitment_from_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(model_name="billedperiod", name="commitment_to_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="billedperiod", name="commitment_days", field=models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddField(
            model_name="billedperiod", name="commitment_of_days", field=models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddConstraint(
            model_name="billedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("commitment_days__isnull", True),
                        ("commitment_from_at__isnull", True),
                        ("commitment_of_days__isnull", True),
                        ("commitment_to_at__isnull", True),
                    ),
                    models.Q(
                        ("commitment_days__lte", models.F("commitment_of_days")),
                        ("commitment_from_at__lt", models.F("commitment_to_at")),
                        ("commitment_of_days__gte", 1),
                    ),
                    _connector="OR",
                ),
                name="billing_period_commitment",
            ),
        ),
    ]
