"""Minimum commitments."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0007_life")]

    operations = []
