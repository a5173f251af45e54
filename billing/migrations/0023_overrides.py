"""Terms of one subscription alone."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0022_prepaid")]

    operations = []
