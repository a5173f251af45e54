"""Usage paid in advance: the queue of events, and the levels of usage in a period."""

import django.db.models.deletion
from django.db import migrations, models


def _figure():
    return models.DecimalField(decimal_places=40, default=0, max_digits=120)


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_prices")]
    operations = [
        migrations.CreateModel(
            name="AdvanceEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("external_subscription_id", models.TextField()),
                ("transaction_id", models.TextField()),
                ("code", models.TextField()),
                ("timestamp", models.DateTimeField()),
                ("withdraws", models.BooleanField(default=False)),
                ("tried_at", models.DateTimeField(null=True)),
                ("problem", models.TextField(default="")),
            ],
            options={
                "verbose_name": "event to be billed",
                "verbose_name_plural": "events to be billed",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="AdvanceLevel",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("item_key", models.BigIntegerField()),
                ("from_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("events_count", models.PositiveBigIntegerField(default=0)),
                ("base", _figure()),
                ("units", _figure()),
                ("peak", _figure()),
                ("days_units", _figure()),
                ("given_amount", _figure()),
                ("values", models.JSONField(default=list)),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="advance_levels",
                        to="billing.subscription",
                    ),
                ),
            ],
            options={
                "verbose_name": "level of usage paid in advance",
                "verbose_name_plural": "levels of usage paid in advance",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="AdvanceValue",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("value", models.TextField()),
                ("is_there", models.BooleanField()),
                (
                    "level",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unique_values",
                        to="billing.advancelevel",
                    ),
                ),
            ],
            options={
                "verbose_name": "unique value paid in advance",
                "verbose_name_plural": "unique values paid in advance",
                "ordering": ["id"],
            },
        ),
        migrations.AddConstraint(
            model_name="advanceevent",
            constraint=models.UniqueConstraint(
                fields=("external_subscription_id", "transaction_id", "withdraws"), name="billing_advance_event_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="advancelevel",
            constraint=models.UniqueConstraint(
                fields=("subscription", "from_at", "item_key"), name="billing_advance_level_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="advancevalue",
            constraint=models.UniqueConstraint(
                models.F("level"), models.Func(models.F("value"), function="md5"), name="billing_advance_value_once"
            ),
        ),
    ]
