"""VAT of the European Union, checked numbers, exemption."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_coupons"), ("catalog", "0014_taxes")]

    operations: list[migrations.operations.base.Operation] = []
