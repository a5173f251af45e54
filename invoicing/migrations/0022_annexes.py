"""The annexes of long invoices: one more kind of document."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0021_corrections"),
    ]

    operations = [
        migrations.AlterField(
            model_name="document",
            name="kind",
            field=models.CharField(choices=[("pdf", "PDF"), ("annex_csv", "annex, CSV")], max_length=16),
        ),
    ]
