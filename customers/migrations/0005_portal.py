"""The customer portal."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_documents"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="portal_generation",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
    ]
