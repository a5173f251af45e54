"""Top-ups by rule and what usage holds of wallets."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0024_anchor_date"), ("invoicing", "0014_wallets")]

    operations: list[migrations.operations.base.Operation] = []
