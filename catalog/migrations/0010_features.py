"""Features, their privileges, and what plans give of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_usage_thresholds")]

    operations = []
