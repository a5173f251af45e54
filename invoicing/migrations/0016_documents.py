"""One-off invoices and the texts of documents."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0004_documents'),
        ('invoicing', '0015_taxes'),
    ]

    operations = [
        migrations.AddField(
            model_name='invoice',
            name='custom_section_ids',
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='is_periodic',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='invoice',
            name='skip_automatic_payment',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='item_uuid',
            field=models.UUIDField(editable=False, null=True),
        ),
    ]
