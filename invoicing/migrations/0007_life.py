"""Kinds of invoices and lines for commitments, prepaid credit and progressive billing."""

import decimal
import django.db.models.expressions
import djmoney.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0001_initial'),
        ('invoicing', '0006_credit_notes'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoicing_invoice_total',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoicing_invoice_credit_notes',
        ),
        migrations.AddField(
            model_name='invoice',
            name='prepaid_credit_amount',
            field=djmoney.models.fields.MoneyField(currency_field_name='currency', decimal_places=4, default=decimal.Decimal, max_digits=20, verbose_name='prepaid'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='progressive_billing_credit_amount',
            field=djmoney.models.fields.MoneyField(currency_field_name='currency', decimal_places=4, default=decimal.Decimal, max_digits=20, verbose_name='billed progressively'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='kind',
            field=models.CharField(choices=[('subscription', 'subscription'), ('advance_charges', 'usage paid in advance'), ('progressive_billing', 'usage up to a threshold'), ('credit', 'prepaid credit')], default='subscription', max_length=32),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='status',
            field=models.CharField(choices=[('draft', 'draft'), ('finalized', 'finalized'), ('voided', 'voided'), ('closed', 'closed without a document'), ('open', 'waits for its payment before it is issued')], default='draft', max_length=16),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='kind',
            field=models.CharField(choices=[('subscription', 'subscription'), ('charge', 'usage'), ('fixed_charge', 'fixed charge'), ('commitment', 'commitment'), ('credit', 'prepaid credit')], max_length=32),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('total_amount', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('fees_amount'), '-', models.F('progressive_billing_credit_amount')), '+', models.F('taxes_amount')), '-', models.F('credit_notes_amount')), '-', models.F('prepaid_credit_amount')))), name='invoicing_invoice_total'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('credit_notes_amount__gte', 0), ('prepaid_credit_amount__gte', 0), ('progressive_billing_credit_amount__gte', 0), ('total_amount__gte', 0)), name='invoicing_invoice_credit_notes'),
        ),
    ]
