"""Fees billed in advance: periods without a fee, usage kept apart from it, and trials."""

import django.contrib.postgres.constraints
from django.db import migrations, models

import billing.models.rated


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_usage_events")]

    operations = [
        migrations.AddField(
            model_name="subscription", name="trial_ends_at", field=models.DateTimeField(editable=False, null=True)
        ),
        migrations.AddField(
            model_name="subscription", name="trial_ended_at", field=models.DateTimeField(editable=False, null=True)
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(
                    ("status", "active"), ("trial_ended_at__isnull", True), ("trial_ends_at__isnull", False)
                ),
                fields=["trial_ends_at"],
                name="billing_subscription_trial",
            ),
        ),
        migrations.AddField(model_name="billedperiod", name="bills_fee", field=models.BooleanField(default=True)),
        migrations.AlterField(
            model_name="billedperiod",
            name="reason",
            field=models.CharField(
                choices=[
                    ("subscription_starting", "start"),
                    ("subscription_periodic", "period"),
                    ("subscription_terminating", "termination"),
                ],
                max_length=32,
            ),
        ),
        migrations.RemoveConstraint(model_name="billedperiod", name="billing_period_once"),
        migrations.AddConstraint(
            model_name="billedperiod",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("bills_fee", True), ("released_at__isnull", True)),
                expressions=[
                    (billing.models.rated.Same("subscription_id"), "&&"),
                    (billing.models.rated.Between("from_at", "to_at"), "&&"),
                ],
                name="billing_period_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="billedperiod",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("released_at__isnull", True)),
                expressions=[
                    (billing.models.rated.Same("subscription_id"), "&&"),
                    (billing.models.rated.Between("charges_from_at", "charges_to_at"), "&&"),
                ],
                name="billing_usage_once",
            ),
        ),
    ]
