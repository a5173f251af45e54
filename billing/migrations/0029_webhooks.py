"""What events of subscriptions and usage need."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0028_corrections"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventErrorCursor",
            fields=[
                ("singleton", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("snapshot", models.TextField(blank=True, default="")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("singleton", True)), name="billing_event_error_cursor_single"
                    )
                ],
            },
        ),
    ]
