"""Who may read reports, and an index for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0034_rehearsals")]

    operations = [
        migrations.AlterModelOptions(
            name="billedperiod",
            options={
                "ordering": ["subscription", "from_at"],
                "permissions": [
                    ("read_report", "Can read reports, with the customers and documents behind their figures")
                ],
                "verbose_name": "billed period",
            },
        ),
        migrations.AddIndex(
            model_name="ratedcharge",
            index=models.Index(
                fields=["line"], condition=models.Q(is_progressive=True), name="billing_rated_progressive"
            ),
        ),
    ]
