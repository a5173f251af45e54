"""Taxes: kinds, countries, prices that include them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0013_coupons")]

    operations: list[migrations.operations.base.Operation] = []
