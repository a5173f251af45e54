"""Coupons taken off invoices."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0012_money"), ("customers", "0002_coupons")]

    operations: list[migrations.operations.base.Operation] = []
