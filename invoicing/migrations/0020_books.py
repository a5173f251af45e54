"""Checks of the books and what they found."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0019_ledger")]

    operations: list[migrations.operations.base.Operation] = []
