"""Coupons on credit notes, and their documents."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0017_voids")]

    operations: list[migrations.operations.base.Operation] = []
