"""Checks of usage and of billed periods."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0026_documents"), ("invoicing", "0020_books")]

    operations: list[migrations.operations.base.Operation] = []
