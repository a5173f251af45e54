"""Prepaid credit."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0010_open_invoices")]

    operations = []
