"""Issuing dates, numbering and texts of documents."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_taxes")]

    operations: list[migrations.operations.base.Operation] = []
