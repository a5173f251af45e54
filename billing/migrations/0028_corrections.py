"""Corrections of what was billed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0027_books"), ("invoicing", "0021_corrections")]

    operations: list[migrations.operations.base.Operation] = []
