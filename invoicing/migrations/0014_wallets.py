"""Wallets and their transactions."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0013_coupons")]

    operations: list[migrations.operations.base.Operation] = []
