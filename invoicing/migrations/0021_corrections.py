"""Corrections of issued invoices."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0020_books")]

    operations: list[migrations.operations.base.Operation] = []
