"""Usage thresholds of plan versions."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_minimum_commitments")]

    operations = []
