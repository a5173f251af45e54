"""Voided invoices, adjusted lines and disputes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0016_documents")]

    operations: list[migrations.operations.base.Operation] = []
