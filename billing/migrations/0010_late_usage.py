"""Late usage, corrections of events, and what finds late events: the transaction that wrote an event, which no clock moves.

The index by it is one of ranges, which costs next to nothing where events come in. The covering index has the mark of
replaced events, so that usage is still answered by it alone. Events that are there already are looked through once.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
ALTER TABLE billing_usage_event ADD COLUMN replaced_at timestamptz, ADD COLUMN written_in bigint NOT NULL DEFAULT 0;
ALTER TABLE billing_usage_event ALTER COLUMN written_in SET DEFAULT (pg_current_xact_id()::text::bigint);
DROP INDEX billing_usage_event_usage;
CREATE INDEX billing_usage_event_usage ON billing_usage_event (external_subscription_id, code, "timestamp")
    INCLUDE (value, value_source, fingerprint, replaced_at);
CREATE INDEX billing_usage_event_written ON billing_usage_event USING brin (written_in) WITH (autosummarize = on);
CREATE INDEX billing_usage_event_beyond ON billing_usage_event ("timestamp")
    WHERE (value >= 1e25 OR value <= -1e25) AND replaced_at IS NULL;
"""

BACKWARD = """
DROP INDEX billing_usage_event_beyond;
DROP INDEX billing_usage_event_written;
DROP INDEX billing_usage_event_usage;
ALTER TABLE billing_usage_event DROP COLUMN written_in, DROP COLUMN replaced_at;
CREATE INDEX billing_usage_event_usage ON billing_usage_event (external_subscription_id, code, "timestamp")
    INCLUDE (value, value_source, fingerprint);
"""

PRICED_BY = """
UPDATE billing_billedperiod AS period SET plan_version_id = coalesce((
    SELECT charge.plan_version_id
    FROM billing_ratedcharge AS rated
    JOIN catalog_charge AS charge ON charge.id = rated.charge_id
    WHERE rated.period_id = period.id
    LIMIT 1
), subscription.plan_version_id)
FROM billing_subscription AS subscription
WHERE subscription.id = period.subscription_id
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_plan_changes"), ("catalog", "0005_prices"), ("invoicing", "0004_prices")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.CreateModel(
            name="EventCorrection",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("external_subscription_id", models.TextField()),
                ("transaction_id", models.TextField()),
                ("corrects", models.TextField()),
                ("action", models.CharField(choices=[("withdraw", "withdrawn"), ("amend", "amended")], max_length=16)),
                ("reason", models.TextField(blank=True, default="")),
                ("made_by", models.CharField(max_length=255)),
                ("event_transaction_id", models.TextField()),
                ("event_code", models.TextField()),
                ("event_timestamp", models.DateTimeField()),
                ("sent", models.JSONField()),
                ("undone_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "event correction",
                "ordering": ["-created_at", "-id"],
                "permissions": [("withdraw_usageevent", "Can withdraw usage events")],
            },
        ),
        migrations.CreateModel(
            name="LateUsage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("group", models.JSONField(blank=True, default=dict)),
                ("is_true_up", models.BooleanField(default=False)),
                ("item_key", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "held"),
                            ("to_bill", "billed with the next invoice"),
                            ("corrected", "corrected"),
                            ("waived", "waived"),
                            ("no_effect", "no money effect"),
                        ],
                        default="held",
                        max_length=16,
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "settled_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="settled before"
                    ),
                ),
                (
                    "total_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="all usage"
                    ),
                ),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="open"
                    ),
                ),
                ("settled_units", models.DecimalField(decimal_places=15, max_digits=40)),
                ("total_units", models.DecimalField(decimal_places=15, max_digits=40)),
                ("events_count", models.IntegerField()),
                ("first_received_at", models.DateTimeField(null=True)),
                ("last_received_at", models.DateTimeField(null=True)),
                ("trace", models.JSONField()),
                ("trace_sha256", models.CharField(max_length=64)),
                ("horizon", models.BigIntegerField()),
                ("note", models.CharField(blank=True, default="", max_length=255)),
                ("reason", models.TextField(blank=True, default="")),
                ("decided_at", models.DateTimeField(editable=False, null=True)),
                ("decided_by", models.CharField(blank=True, default="", max_length=255)),
                ("credit_note_id", models.UUIDField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
            ],
            options={
                "verbose_name": "late usage",
                "verbose_name_plural": "late usage",
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("decide_lateusage", "Can decide about late usage"),
                    ("set_lateusage_policy", "Can set the policy for late usage"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LateUsageCheck",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("error", models.TextField(blank=True, default="")),
            ],
            options={
                "verbose_name": "check of a billed period",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="LateUsageCursor",
            fields=[
                ("singleton", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AlterField(
            model_name="billedperiod",
            name="invoice",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="billed_periods",
                to="invoicing.invoice",
            ),
        ),
        migrations.AddConstraint(
            model_name="billedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("invoice__isnull", False),
                    models.Q(
                        models.Q(("reason", "in_advance_charge"), _negated=True), ("released_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="billing_period_of_nothing",
            ),
        ),
        migrations.AddField(
            model_name="billedperiod",
            name="late_checked",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="billedperiod",
            name="plan_version",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.planversion"
            ),
        ),
        migrations.AddField(
            model_name="billedperiod",
            name="usage_horizon",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="subscription",
            name="usage_from_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="late_usage_policy",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "the installation's"),
                    ("hold", "hold for a person"),
                    ("bill", "bill with the next invoice"),
                    ("correct", "correct at once"),
                    ("waive", "waive below an amount"),
                ],
                default="",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="late_usage_waive_below",
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=20, null=True),
        ),
        migrations.AddIndex(
            model_name="billedperiod",
            index=models.Index(
                condition=models.Q(
                    ("late_checked", False),
                    ("released_at__isnull", True),
                    ("charges_from_at__lt", models.F("charges_to_at")),
                ),
                fields=["usage_horizon"],
                name="billing_period_unchecked",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("late_usage_policy", "waive"), _negated=True),
                    ("late_usage_waive_below__gt", 0),
                    _connector="OR",
                ),
                name="billing_subscription_late_usage",
            ),
        ),
        migrations.AddIndex(
            model_name="eventcorrection",
            index=models.Index(fields=["external_subscription_id", "corrects"], name="billing_correction_target"),
        ),
        migrations.AddConstraint(
            model_name="eventcorrection",
            constraint=models.UniqueConstraint(
                fields=("external_subscription_id", "transaction_id"), name="billing_correction_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="eventcorrection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at__isnull", True)),
                fields=("external_subscription_id", "event_transaction_id"),
                name="billing_event_corrected_once",
            ),
        ),
        migrations.AddField(
            model_name="lateusage",
            name="charge",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.charge"),
        ),
        migrations.AddField(
            model_name="lateusage",
            name="charge_filter",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.chargefilter"
            ),
        ),
        migrations.AddField(
            model_name="lateusage",
            name="line",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="late_usage",
                to="invoicing.invoiceline",
            ),
        ),
        migrations.AddField(
            model_name="lateusage",
            name="period",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="late_usage", to="billing.billedperiod"
            ),
        ),
        migrations.AddField(
            model_name="lateusage",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="late_usage", to="billing.subscription"
            ),
        ),
        migrations.AddField(
            model_name="lateusagecheck",
            name="period",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="late_usage_check", to="billing.billedperiod"
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusagecursor",
            constraint=models.CheckConstraint(
                condition=models.Q(("singleton", True)), name="billing_late_cursor_single"
            ),
        ),
        migrations.AddIndex(
            model_name="lateusage",
            index=models.Index(fields=["state", "-created_at"], name="billing_late_usage_inbox"),
        ),
        migrations.AddIndex(
            model_name="lateusage",
            index=models.Index(
                condition=models.Q(("line__isnull", True), ("state", "to_bill")),
                fields=["subscription"],
                name="billing_late_usage_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "held")),
                fields=("period", "item_key"),
                name="billing_late_usage_held_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount",
                        django.db.models.expressions.CombinedExpression(
                            models.F("total_amount"), "-", models.F("settled_amount")
                        ),
                    )
                ),
                name="billing_late_usage_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True), ("line__isnull", True), ("state__in", ["held", "no_effect"])
                    ),
                    models.Q(("decided_at__isnull", False), ("state__in", ["to_bill", "corrected", "waived"])),
                    _connector="OR",
                ),
                name="billing_late_usage_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "waived"), _negated=True),
                    models.Q(("credit_note_id__isnull", True), ("line__isnull", True)),
                    _connector="OR",
                ),
                name="billing_late_usage_waived",
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "corrected"), _negated=True),
                    ("line__isnull", False),
                    ("credit_note_id__isnull", False),
                    _connector="OR",
                ),
                name="billing_late_usage_corrected",
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "to_bill"), _negated=True), ("credit_note_id__isnull", True), _connector="OR"
                ),
                name="billing_late_usage_to_bill",
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusage",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("state", "no_effect"), _negated=True), ("amount", 0), _connector="OR"),
                name="billing_late_usage_no_effect",
            ),
        ),
        migrations.RunSQL(PRICED_BY, migrations.RunSQL.noop),
    ]
