"""Contracts: terms, products with their phases, commitments, amendments and notices."""

import decimal
import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import billing.models.contracts
import billing.models.rated
import config.kernel.db

FORWARD = """
CREATE TRIGGER billing_contract_amendment_append_only BEFORE UPDATE ON billing_contractamendment
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""

BACKWARD = "DROP TRIGGER billing_contract_amendment_append_only ON billing_contractamendment;"


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0018_plan_migrations"),
        ("catalog", "0007_life"),
        ("customers", "0001_initial"),
        ("invoicing", "0007_life"),
        ("platform", "0002_append_only"),
    ]
    operations = [
        migrations.CreateModel(
            name="Contract",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.CharField(editable=False, max_length=32, unique=True)),
                ("name", models.CharField(max_length=255)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("active", "active"),
                            ("ended", "ended"),
                            ("canceled", "canceled"),
                        ],
                        default="draft",
                        max_length=16,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("term_months", models.PositiveSmallIntegerField()),
                ("ends_on", models.DateField()),
                (
                    "renewal",
                    models.CharField(
                        choices=[("none", "ends with its term"), ("automatic", "renews unless notice is given")],
                        default="none",
                        max_length=16,
                    ),
                ),
                ("renewal_months", models.PositiveSmallIntegerField()),
                ("notice_days", models.PositiveSmallIntegerField(default=0)),
                ("uplift_rate", models.DecimalField(decimal_places=8, default=decimal.Decimal(0), max_digits=12)),
                (
                    "uplift_scope",
                    models.CharField(
                        choices=[("fee", "the fee"), ("all", "all prices, minimums and commitments")],
                        default="fee",
                        max_length=8,
                    ),
                ),
                (
                    "billing_time",
                    models.CharField(
                        choices=[("calendar", "calendar"), ("anniversary", "from the first day of the contract")],
                        default="anniversary",
                        max_length=16,
                    ),
                ),
                ("purchase_order_number", models.CharField(blank=True, default="", max_length=255)),
                ("terms_text", models.TextField(blank=True, default="")),
                ("activated_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                ("canceled_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="contracts", to="customers.customer"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [("activate_contract", "Can activate, amend and end contracts")],
            },
        ),
        migrations.CreateModel(
            name="ContractAmendment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("change_terms", "other terms of a product"),
                            ("add_product", "a product added"),
                            ("remove_product", "a product removed"),
                            ("extend_term", "a longer term"),
                            ("change_commitment", "another commitment"),
                            ("renewal", "a renewal"),
                        ],
                        max_length=32,
                    ),
                ),
                ("effective_on", models.DateField()),
                ("made_by", models.CharField(max_length=255)),
                ("reason", models.TextField(blank=True, default="")),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="amendments", to="billing.contract"
                    ),
                ),
            ],
            options={
                "verbose_name": "amendment of a contract",
                "verbose_name_plural": "amendments of contracts",
                "ordering": ["contract", "number"],
            },
        ),
        migrations.CreateModel(
            name="ContractItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("external_id", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("removed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="billing.contract"
                    ),
                ),
            ],
            options={
                "verbose_name": "product of a contract",
                "verbose_name_plural": "products of contracts",
                "ordering": ["contract", "id"],
            },
        ),
        migrations.CreateModel(
            name="ContractCommitment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "kind",
                    models.CharField(choices=[("period", "for each period"), ("term", "over the term")], max_length=16),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("cut_on", models.DateField(editable=False, null=True)),
                ("is_whole", models.BooleanField(default=False, editable=False)),
                ("renews", models.BooleanField(default=True)),
                ("invoice_name", models.CharField(blank=True, default="", max_length=255)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="committed"
                    ),
                ),
                (
                    "due_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        editable=False,
                        max_digits=20,
                        null=True,
                        verbose_name="due",
                    ),
                ),
                (
                    "billed_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        editable=False,
                        max_digits=20,
                        null=True,
                        verbose_name="billed",
                    ),
                ),
                ("settled_at", models.DateTimeField(editable=False, null=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="commitments", to="billing.contract"
                    ),
                ),
                (
                    "line",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract_commitment",
                        to="invoicing.invoiceline",
                    ),
                ),
                ("taxes", models.ManyToManyField(blank=True, related_name="+", to="catalog.tax")),
                (
                    "item",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commitments",
                        to="billing.contractitem",
                    ),
                ),
            ],
            options={
                "verbose_name": "commitment of a contract",
                "verbose_name_plural": "commitments of contracts",
                "ordering": ["contract", "starts_on", "id"],
            },
        ),
        migrations.AddField(
            model_name="subscription",
            name="contract_item",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscriptions",
                to="billing.contractitem",
            ),
        ),
        migrations.CreateModel(
            name="ContractNotice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("term_number", models.PositiveSmallIntegerField()),
                ("given_on", models.DateField()),
                ("given_by", models.CharField(max_length=255)),
                ("recorded_by", models.CharField(max_length=255)),
                ("reason", models.TextField(blank=True, default="")),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="billing.contract"
                    ),
                ),
            ],
            options={
                "verbose_name": "notice of non-renewal",
                "verbose_name_plural": "notices of non-renewal",
                "ordering": ["contract", "id"],
            },
        ),
        migrations.CreateModel(
            name="ContractPhase",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("overrides", models.JSONField(blank=True, default=dict)),
                ("scheduled_at", models.DateTimeField(editable=False, null=True)),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="phases", to="billing.contractitem"
                    ),
                ),
                (
                    "own_version",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.planversion",
                    ),
                ),
                (
                    "plan_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.planversion"
                    ),
                ),
            ],
            options={
                "verbose_name": "phase of a contract",
                "verbose_name_plural": "phases of contracts",
                "ordering": ["item", "starts_on"],
            },
        ),
        migrations.CreateModel(
            name="ContractTerm",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveSmallIntegerField()),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("months", models.PositiveSmallIntegerField(null=True)),
                ("uplift_rate", models.DecimalField(decimal_places=8, default=decimal.Decimal(0), max_digits=12)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="terms", to="billing.contract"
                    ),
                ),
            ],
            options={
                "verbose_name": "term of a contract",
                "verbose_name_plural": "terms of contracts",
                "ordering": ["contract", "number"],
            },
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(
                condition=models.Q(("state", "active")), fields=["ends_on"], name="billing_contract_ending"
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="billing_contract_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("renewal_months__gte", 1), ("term_months__gte", 1)), name="billing_contract_months"
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("renewal", "none"), ("notice_days__gte", 1), _connector="OR"),
                name="billing_contract_notice_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("uplift_rate__gt", -1)), name="billing_contract_uplift"
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("activated_at__isnull", True),
                        ("canceled_at__isnull", True),
                        ("ended_at__isnull", True),
                        ("state", "draft"),
                    ),
                    models.Q(
                        ("activated_at__isnull", False),
                        ("canceled_at__isnull", True),
                        ("ended_at__isnull", True),
                        ("state", "active"),
                    ),
                    models.Q(
                        ("activated_at__isnull", False),
                        ("canceled_at__isnull", True),
                        ("ended_at__isnull", False),
                        ("state", "ended"),
                    ),
                    models.Q(
                        ("activated_at__isnull", True),
                        ("canceled_at__isnull", False),
                        ("ended_at__isnull", True),
                        ("state", "canceled"),
                    ),
                    _connector="OR",
                ),
                name="billing_contract_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractamendment",
            constraint=models.UniqueConstraint(fields=("contract", "number"), name="billing_contract_amendment_number"),
        ),
        migrations.AddConstraint(
            model_name="contractitem",
            constraint=models.UniqueConstraint(
                fields=("contract", "external_id"), name="billing_contract_item_external_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="billing_contract_item_order"
            ),
        ),
        migrations.AddIndex(
            model_name="contractcommitment",
            index=models.Index(
                condition=models.Q(("kind", "term"), ("settled_at__isnull", True)),
                fields=["ends_on"],
                name="billing_contract_commitment",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractcommitment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="billing_contract_commitment_amount"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractcommitment",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="billing_contract_commitment_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractcommitment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("item__isnull", False), ("kind", "period")),
                    models.Q(("item__isnull", True), ("kind", "term")),
                    _connector="OR",
                ),
                name="billing_contract_commitment_item",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractcommitment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cut_on__isnull", True),
                    models.Q(("cut_on__gte", models.F("starts_on")), ("cut_on__lte", models.F("ends_on"))),
                    _connector="OR",
                ),
                name="billing_contract_commitment_cut",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractcommitment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("line__isnull", True), ("settled_at__isnull", True)),
                    models.Q(
                        ("billed_amount__isnull", False),
                        ("due_amount__isnull", False),
                        ("kind", "term"),
                        ("settled_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="billing_contract_commitment_settled",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractnotice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("contract",),
                name="billing_contract_notice_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractphase",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    (billing.models.rated.Same("item_id"), "&&"),
                    (billing.models.contracts.Days("starts_on", "ends_on"), "&&"),
                ],
                name="billing_contract_phase_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractphase",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="billing_contract_phase_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractphase",
            constraint=models.CheckConstraint(
                condition=models.Q(("scheduled_at__isnull", True), ("own_version__isnull", False), _connector="OR"),
                name="billing_contract_phase_scheduled",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.UniqueConstraint(fields=("contract", "number"), name="billing_contract_term_number"),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="billing_contract_term_order"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
