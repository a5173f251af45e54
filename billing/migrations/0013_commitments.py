"""Minimum commitments."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0012_life")]

    operations = []
