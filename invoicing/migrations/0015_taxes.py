"""Taxes that others work out, and prices that include them."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0014_wallets"), ("customers", "0003_taxes")]

    operations = [
        migrations.CreateModel(
            name="TaxEngine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("kind", models.CharField(choices=[("http", "engine behind HTTP")], default="http", max_length=16)),
                ("code", models.CharField(max_length=255, unique=True)),
                ("url", models.URLField()),
                ("token", models.CharField(blank=True, default="", max_length=512)),
                ("is_active", models.BooleanField(default=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "billing_entity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_engine",
                        to="customers.billingentity",
                    ),
                ),
            ],
            options={
                "verbose_name": "tax engine",
                "ordering": ["billing_entity"],
            },
        ),
        migrations.CreateModel(
            name="TaxCalculation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "waits for an answer"), ("answered", "answered"), ("failed", "refused")],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("question", models.JSONField()),
                ("answer", models.JSONField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("error_code", models.CharField(blank=True, default="", max_length=255)),
                ("error_message", models.TextField(blank=True, default="")),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_calculations",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "engine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calculations",
                        to="invoicing.taxengine",
                    ),
                ),
            ],
            options={
                "verbose_name": "tax calculation",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="TaxReport",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("invoice_finalized", "invoice issued"),
                            ("invoice_voided", "invoice voided"),
                            ("credit_note_issued", "credit note issued"),
                        ],
                        max_length=32,
                    ),
                ),
                ("content", models.JSONField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "engine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reports", to="invoicing.taxengine"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tax_reports", to="invoicing.invoice"
                    ),
                ),
                (
                    "credit_note",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_reports",
                        to="invoicing.creditnote",
                    ),
                ),
            ],
            options={
                "verbose_name": "report to a tax engine",
                "verbose_name_plural": "reports to tax engines",
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="tax_basis",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "no tax"),
                    ("price", "taxes of the price"),
                    ("customer", "taxes of the customer"),
                    ("seller", "taxes of the billing entity"),
                    ("exempt", "the customer is exempt"),
                    ("engine", "told by a tax engine"),
                ],
                default="",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="tax_inclusive_amount",
            field=models.DecimalField(decimal_places=4, max_digits=20, null=True),
        ),
        migrations.AddConstraint(
            model_name="taxcalculation",
            constraint=models.UniqueConstraint(fields=("invoice", "digest"), name="invoicing_tax_question"),
        ),
        migrations.AddConstraint(
            model_name="taxcalculation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_attempt_at__isnull", False), ("status", "waiting")),
                    models.Q(("answer__isnull", False), ("answered_at__isnull", False), ("status", "answered")),
                    models.Q(("status", "failed"), models.Q(("error_code", ""), _negated=True)),
                    _connector="OR",
                ),
                name="invoicing_tax_calculation_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxreport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("credit_note__isnull", True)),
                fields=("event", "invoice"),
                name="invoicing_tax_report_invoice",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxreport",
            constraint=models.UniqueConstraint(
                fields=("event", "credit_note"), name="invoicing_tax_report_credit_note"
            ),
        ),
        migrations.AddIndex(
            model_name="taxcalculation",
            index=models.Index(
                fields=["next_attempt_at"], condition=models.Q(("status", "waiting")), name="invoicing_tax_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="taxreport",
            index=models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(("told_at__isnull", True)),
                name="invoicing_tax_report_waiting",
            ),
        ),
    ]
