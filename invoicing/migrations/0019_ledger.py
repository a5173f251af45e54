"""Accounts and their mapping, journal exports."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0018_credit_notes")]

    operations: list[migrations.operations.base.Operation] = []
