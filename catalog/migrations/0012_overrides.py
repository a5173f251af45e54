"""Terms of one subscription alone."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0011_plan_versions")]

    operations = []
