"""One-off invoices and the texts of documents."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0015_taxes"), ("customers", "0004_documents")]

    operations: list[migrations.operations.base.Operation] = []
