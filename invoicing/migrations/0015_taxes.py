"""Taxes that others work out, and prices that include them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0014_wallets"), ("customers", "0003_taxes")]

    operations: list[migrations.operations.base.Operation] = []
