"""Moving subscriptions to another version of their plan."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0017_entitlements")]

    operations = []
