"""Progressive billing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0008_commitments")]

    operations = []
