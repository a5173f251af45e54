"""Coupons that were applied to customers."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial"), ("catalog", "0013_coupons")]

    operations: list[migrations.operations.base.Operation] = []
