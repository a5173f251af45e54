"""Prepaid credit."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0021_activation")]

    operations = []
