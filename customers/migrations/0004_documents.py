"""Issuing dates, numbering and texts of documents."""

import uuid

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0003_taxes'),
    ]

    operations = [
        migrations.AddField(
            model_name='billingentity',
            name='issuing_date_adjustment',
            field=models.CharField(choices=[('keep_anchor', 'that day'), ('align_with_finalization_date', 'the day of finalization')], default='align_with_finalization_date', max_length=32, verbose_name='and are dated'),
        ),
        migrations.AddField(
            model_name='billingentity',
            name='issuing_date_anchor',
            field=models.CharField(choices=[('current_period_end', 'last day of the period'), ('next_period_start', 'first day after the period')], default='next_period_start', max_length=32, verbose_name='periodic invoices are of'),
        ),
        migrations.AddField(
            model_name='customer',
            name='issuing_date_adjustment',
            field=models.CharField(blank=True, choices=[('keep_anchor', 'that day'), ('align_with_finalization_date', 'the day of finalization')], default='', max_length=32),
        ),
        migrations.AddField(
            model_name='customer',
            name='issuing_date_anchor',
            field=models.CharField(blank=True, choices=[('current_period_end', 'last day of the period'), ('next_period_start', 'first day after the period')], default='', max_length=32),
        ),
        migrations.AddField(
            model_name='customer',
            name='skip_invoice_custom_sections',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='InvoiceCustomSection',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('code', models.CharField(max_length=255)),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True, default='')),
                ('display_name', models.CharField(blank=True, default='', max_length=255, verbose_name='heading')),
                ('details', models.TextField(blank=True, default='')),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'verbose_name': 'custom section',
                'ordering': ['name', 'id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('code',), name='customers_section_code')],
            },
        ),
        migrations.AddField(
            model_name='billingentity',
            name='invoice_custom_sections',
            field=models.ManyToManyField(blank=True, related_name='billing_entities', to='customers.invoicecustomsection'),
        ),
        migrations.AddField(
            model_name='customer',
            name='invoice_custom_sections',
            field=models.ManyToManyField(blank=True, related_name='customers', to='customers.invoicecustomsection'),
        ),
    ]
