"""Chosen times of changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_progressive")]

    operations = []
