"""Entitlements."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_pauses")]

    operations = []
