"""Invoices that are issued once they are paid."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0009_progressive")]

    operations = []
