"""Fixed charges: the time that is paid in advance, and units that are added within it."""

import django.contrib.postgres.constraints
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import billing.models.rated

FORWARD = """
CREATE TRIGGER billing_fixed_units_append_only BEFORE UPDATE ON billing_fixedchargeunits
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""

BACKWARD = "DROP TRIGGER billing_fixed_units_append_only ON billing_fixedchargeunits;"


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_advance_charges"), ("platform", "0002_append_only")]
    operations = [
        migrations.AddField("billedperiod", "fixed_advance_from_at", models.DateTimeField(null=True)),
        migrations.AddField("billedperiod", "fixed_advance_to_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "billedperiod",
            models.CheckConstraint(
                condition=Q(fixed_charges_from_at__isnull=True, fixed_charges_to_at__isnull=True)
                | Q(fixed_charges_from_at__lt=F("fixed_charges_to_at")),
                name="billing_period_fixed_order",
            ),
        ),
        migrations.AddConstraint(
            "billedperiod",
            models.CheckConstraint(
                condition=Q(fixed_advance_from_at__isnull=True, fixed_advance_to_at__isnull=True)
                | Q(fixed_advance_from_at__lt=F("fixed_advance_to_at")),
                name="billing_period_fixed_advance_order",
            ),
        ),
        migrations.AlterModelOptions(
            "fixedchargeunits",
            {
                "ordering": ["subscription", "fixed_charge_key", "created_at", "id"],
                "permissions": [("change_units", "Can change the units of a subscription's fixed charges")],
                "verbose_name": "units of a fixed charge",
                "verbose_name_plural": "units of fixed charges",
            },
        ),
        migrations.AddField("fixedchargeunits", "bills_at_once", models.BooleanField(default=False)),
        migrations.AddIndex(
            "fixedchargeunits",
            models.Index(
                fields=["subscription"], condition=Q(bills_at_once=True), name="billing_fixed_units_at_once"
            ),
        ),
        migrations.AddField(
            "ratedcharge",
            "fixed_units",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rated_charges",
                to="billing.fixedchargeunits",
            ),
        ),
        migrations.RemoveConstraint("ratedcharge", "billing_rated_once"),
        migrations.AddConstraint(
            "ratedcharge",
            django.contrib.postgres.constraints.ExclusionConstraint(
                name="billing_rated_once",
                expressions=[
                    (billing.models.rated.Same("subscription_id"), "&&"),
                    (billing.models.rated.Same("item_key"), "&&"),
                    (billing.models.rated.Between("from_at", "to_at"), "&&"),
                ],
                condition=Q(released_at__isnull=True, event_transaction_id__isnull=True, fixed_units__isnull=True),
            ),
        ),
        migrations.AddConstraint(
            "ratedcharge",
            models.UniqueConstraint(
                fields=["fixed_units"],
                condition=Q(released_at__isnull=True, fixed_units__isnull=False),
                name="billing_fixed_units_rated_once",
            ),
        ),
        migrations.AddConstraint(
            "ratedcharge",
            models.CheckConstraint(
                condition=Q(charge__isnull=True) | Q(fixed_charge__isnull=True), name="billing_rated_one_price"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
