"""Pauses."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0015_changes")]

    operations = []
