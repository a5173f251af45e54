"""The whole life of a subscription: pauses, chosen times of changes, purchase orders, a wait for a payment."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0011_usage'),
        ('catalog', '0007_life'),
        ('customers', '0001_initial'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='subscription',
            options={'ordering': ['-created_at', '-id'], 'permissions': [('terminate_subscription', 'Can terminate subscription'), ('change_plan', 'Can change the plan of a subscription'), ('pause_subscription', 'Can pause and resume a subscription')]},
        ),
        migrations.RemoveConstraint(
            model_name='subscription',
            name='billing_subscription_external_id',
        ),
        migrations.RemoveConstraint(
            model_name='subscription',
            name='billing_subscription_follower',
        ),
        migrations.AddField(
            model_name='subscription',
            name='activated_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='subscription',
            name='cancellation_reason',
            field=models.CharField(blank=True, choices=[('', 'none'), ('payment_failed', 'the payment failed'), ('timeout', 'the payment did not come in time')], default='', editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name='subscription',
            name='change_timing',
            field=models.CharField(blank=True, choices=[('', 'as the prices decide'), ('now', 'now'), ('period_end', 'at the end of the period'), ('date', 'on a date')], default='', editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name='subscription',
            name='consolidate_invoice',
            field=models.BooleanField(default=True, verbose_name='share invoices with other subscriptions'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='fee_from',
            field=models.DateField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='subscription',
            name='pause_fee',
            field=models.CharField(blank=True, choices=[('prorated', 'by the days it runs'), ('whole', 'whole periods')], default='', editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name='subscription',
            name='progressive_billing_disabled',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='subscription',
            name='purchase_order_number',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AlterField(
            model_name='billedperiod',
            name='reason',
            field=models.CharField(choices=[('subscription_starting', 'start'), ('subscription_periodic', 'period'), ('subscription_terminating', 'termination'), ('in_advance_charge', 'usage paid in advance'), ('progressive_billing', 'a usage threshold')], max_length=32),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='ended_by',
            field=models.CharField(blank=True, choices=[('upgrade', 'an upgrade'), ('downgrade', 'a downgrade'), ('pause', 'a pause')], default='', editable=False, max_length=16),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='status',
            field=models.CharField(choices=[('pending', 'pending'), ('active', 'active'), ('terminated', 'terminated'), ('canceled', 'canceled'), ('paused', 'paused'), ('incomplete', 'waits for a payment')], max_length=16),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['active', 'paused', 'incomplete']), models.Q(('previous__isnull', True), ('status', 'pending')), _connector='OR'), fields=('external_id',), name='billing_subscription_external_id'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['pending', 'active', 'terminated', 'paused', 'incomplete'])), fields=('previous',), name='billing_subscription_follower'),
        ),
    ]
