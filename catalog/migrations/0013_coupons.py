"""Coupons."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0012_overrides")]

    operations: list[migrations.operations.base.Operation] = []
