"""When the fee of a plan is billed, its trial, and usage billed every month."""

from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="planversion", name="pay_in_advance", field=models.BooleanField(default=False)
        ),
        migrations.AddField(
            model_name="planversion",
            name="trial_period",
            field=models.DecimalField(decimal_places=5, default=Decimal(0), max_digits=10),
        ),
        migrations.AddField(
            model_name="planversion", name="bill_charges_monthly", field=models.BooleanField(default=False)
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("trial_period__gte", 0)), name="catalog_plan_version_trial"
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("bill_charges_monthly", False), ("interval__in", ["semiannual", "yearly"]), _connector="OR"
                ),
                name="catalog_plan_version_split",
            ),
        ),
    ]
