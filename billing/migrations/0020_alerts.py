"""Usage alerts and spend caps."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0019_contracts")]

    operations = []
