"""Corrections of invoices, append-only: what was said, what came of it, and which lines and documents it touched."""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE TRIGGER invoicing_correction_append_only BEFORE UPDATE OR DELETE ON invoicing_correction
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_corrected_line_append_only BEFORE UPDATE OR DELETE ON invoicing_correctedline
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_correction_document_append_only BEFORE UPDATE OR DELETE ON invoicing_correctiondocument
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""
BACKWARD = """
DROP TRIGGER invoicing_correction_document_append_only ON invoicing_correctiondocument;
DROP TRIGGER invoicing_corrected_line_append_only ON invoicing_correctedline;
DROP TRIGGER invoicing_correction_append_only ON invoicing_correction;
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0020_books")]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("reason", models.TextField()),
                ("made_by", models.CharField(max_length=255)),
                ("asked", models.JSONField()),
                ("plan", models.JSONField()),
                ("effect", models.JSONField()),
                ("fingerprint", models.CharField(max_length=64)),
                (
                    "idempotency_key",
                    models.CharField(blank=True, editable=False, max_length=255, null=True, unique=True),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="corrections", to="invoicing.invoice"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="CorrectedLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("step", models.CharField(max_length=16)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "before_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="before"
                    ),
                ),
                (
                    "after_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="after"
                    ),
                ),
                ("units", models.DecimalField(decimal_places=15, max_digits=40)),
                ("unit_amount", models.DecimalField(decimal_places=15, max_digits=40)),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="invoicing.invoiceline",
                    ),
                ),
                (
                    "correction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="invoicing.correction"
                    ),
                ),
            ],
            options={
                "verbose_name": "corrected line",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("correction", "line"), name="invoicing_corrected_line"),
                    models.CheckConstraint(
                        condition=models.Q(("after_amount__gte", 0)), name="invoicing_corrected_line_amount"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CorrectionDocument",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("kind", models.CharField(max_length=32)),
                (
                    "correction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="documents", to="invoicing.correction"
                    ),
                ),
                (
                    "credit_note",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrects",
                        to="invoicing.creditnote",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrects",
                        to="invoicing.invoice",
                    ),
                ),
            ],
            options={
                "verbose_name": "document of a correction",
                "verbose_name_plural": "documents of corrections",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("correction", "invoice"), name="invoicing_correction_invoice"),
                    models.UniqueConstraint(fields=("correction", "credit_note"), name="invoicing_correction_note"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credit_note__isnull", True), ("invoice__isnull", False)),
                            models.Q(("credit_note__isnull", False), ("invoice__isnull", True)),
                            _connector="OR",
                        ),
                        name="invoicing_correction_document_one",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
