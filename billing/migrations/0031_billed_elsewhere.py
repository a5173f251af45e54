"""Time of a subscription that another system billed, when its contract was moved here."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0030_api"),
    ]

    operations = [
        migrations.AlterField(
            model_name="billedperiod",
            name="reason",
            field=models.CharField(
                choices=[
                    ("subscription_starting", "start"),
                    ("subscription_periodic", "period"),
                    ("subscription_terminating", "termination"),
                    ("in_advance_charge", "usage paid in advance"),
                    ("progressive_billing", "a usage threshold"),
                    ("billed_elsewhere", "billed elsewhere"),
                ],
                max_length=32,
            ),
        ),
    ]
