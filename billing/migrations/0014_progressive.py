"""Progressive billing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_commitments")]

    operations = []
