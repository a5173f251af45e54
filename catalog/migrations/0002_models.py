"""More charge models can be sold: percentage, graduated percentage and dynamic; charges have a minimum."""

from django.db import migrations, models

CHOICES = [
    ("standard", "standard"),
    ("graduated", "graduated"),
    ("package", "package"),
    ("volume", "volume"),
    ("percentage", "percentage"),
    ("graduated_percentage", "graduated percentage"),
    ("dynamic", "dynamic"),
]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_advance")]
    operations = [
        migrations.AlterField(
            model_name="charge", name="charge_model", field=models.CharField(choices=CHOICES, max_length=32)
        ),
        migrations.AddField(
            model_name="charge", name="min_amount_cents", field=models.PositiveBigIntegerField(default=0)
        ),
    ]
