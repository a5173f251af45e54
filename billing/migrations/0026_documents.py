"""Adjusted lines and previews."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0025_wallets"), ("invoicing", "0017_voids")]

    operations: list[migrations.operations.base.Operation] = []
