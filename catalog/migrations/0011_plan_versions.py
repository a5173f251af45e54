"""Versions of plans that are sold from a date on."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0010_features")]

    operations = []
