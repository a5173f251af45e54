"""What the API keeps of subscriptions."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0029_webhooks"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="ratedcharge",
            index=models.Index(
                condition=models.Q(("charge__isnull", False)), fields=["to_at"], name="billing_rated_usage"
            ),
        ),
    ]
