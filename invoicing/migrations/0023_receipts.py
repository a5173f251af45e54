"""Payment receipts, payment requests, and the custom sections of wallets.

A receipt never changes, as its payment; of a payment request only its status does.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE TRIGGER invoicing_receipt_append_only BEFORE UPDATE OR DELETE ON invoicing_paymentreceipt
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_payment_request_part_append_only BEFORE UPDATE OR DELETE ON invoicing_paymentrequestinvoice
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();

CREATE FUNCTION invoicing_freeze_payment_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['payment_status', 'paid_at', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'payment request % stays as it was asked: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_payment_request_frozen BEFORE UPDATE OR DELETE ON invoicing_paymentrequest
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_payment_request();
"""

BACKWARD = """
DROP TRIGGER invoicing_payment_request_frozen ON invoicing_paymentrequest;
DROP FUNCTION invoicing_freeze_payment_request();
DROP TRIGGER invoicing_payment_request_part_append_only ON invoicing_paymentrequestinvoice;
DROP TRIGGER invoicing_receipt_append_only ON invoicing_paymentreceipt;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_documents"),
        ("invoicing", "0022_annexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="PaymentReceipt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("sequential_id", models.PositiveBigIntegerField()),
                ("number", models.CharField(max_length=64)),
                ("snapshot", models.JSONField()),
            ],
            options={
                "verbose_name": "payment receipt",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="PaymentRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                ("email", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "payment_status",
                    models.CharField(
                        choices=[("pending", "pending"), ("succeeded", "succeeded"), ("failed", "failed")],
                        default="pending",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("paid_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
            ],
            options={
                "verbose_name": "payment request",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="PaymentRequestInvoice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
            ],
            options={
                "verbose_name": "invoice of a payment request",
                "verbose_name_plural": "invoices of payment requests",
                "ordering": ["id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="delivery",
            name="invoicing_delivery_of_one",
        ),
        migrations.RemoveConstraint(
            model_name="document",
            name="invoicing_document_of_one",
        ),
        migrations.AddField(
            model_name="recurringtransactionrule",
            name="custom_section_ids",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="wallet",
            name="custom_section_ids",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="wallettransaction",
            name="custom_section_ids",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="paymentreceipt",
            name="billing_entity",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payment_receipts",
                to="customers.billingentity",
            ),
        ),
        migrations.AddField(
            model_name="paymentreceipt",
            name="payment",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="receipt", to="invoicing.payment"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="payment_receipt",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="invoicing.paymentreceipt",
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="payment_receipt",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="documents",
                to="invoicing.paymentreceipt",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                fields=("payment_receipt", "kind"), name="invoicing_document_receipt_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("credit_note__isnull", True), ("invoice__isnull", False), ("payment_receipt__isnull", True)
                    ),
                    models.Q(
                        ("credit_note__isnull", False), ("invoice__isnull", True), ("payment_receipt__isnull", True)
                    ),
                    models.Q(
                        ("credit_note__isnull", True), ("invoice__isnull", True), ("payment_receipt__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="invoicing_document_of_one",
            ),
        ),
        migrations.AddField(
            model_name="paymentrequest",
            name="billing_entity",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payment_requests",
                to="customers.billingentity",
            ),
        ),
        migrations.AddField(
            model_name="paymentrequest",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="payment_requests", to="customers.customer"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="payment_request",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="invoicing.paymentrequest",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="payment_request",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="invoicing.paymentrequest",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("payment_receipt", "number"), name="invoicing_delivery_receipt_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("payment_request", "number"), name="invoicing_delivery_request_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("credit_note__isnull", True),
                        ("invoice__isnull", False),
                        ("payment_receipt__isnull", True),
                        ("payment_request__isnull", True),
                    ),
                    models.Q(
                        ("credit_note__isnull", False),
                        ("invoice__isnull", True),
                        ("payment_receipt__isnull", True),
                        ("payment_request__isnull", True),
                    ),
                    models.Q(
                        ("credit_note__isnull", True),
                        ("invoice__isnull", True),
                        ("payment_receipt__isnull", False),
                        ("payment_request__isnull", True),
                    ),
                    models.Q(
                        ("credit_note__isnull", True),
                        ("invoice__isnull", True),
                        ("payment_receipt__isnull", True),
                        ("payment_request__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="invoicing_delivery_of_one",
            ),
        ),
        migrations.AddField(
            model_name="paymentrequestinvoice",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payment_request_parts",
                to="invoicing.invoice",
            ),
        ),
        migrations.AddField(
            model_name="paymentrequestinvoice",
            name="payment_request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="invoicing.paymentrequest"
            ),
        ),
        migrations.AddIndex(
            model_name="paymentreceipt",
            index=models.Index(fields=["-created_at", "-id"], name="invoicing_receipt_recent"),
        ),
        migrations.AddConstraint(
            model_name="paymentreceipt",
            constraint=models.UniqueConstraint(
                fields=("billing_entity", "sequential_id"), name="invoicing_receipt_sequence"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentreceipt",
            constraint=models.UniqueConstraint(fields=("billing_entity", "number"), name="invoicing_receipt_number"),
        ),
        migrations.AddIndex(
            model_name="paymentrequest",
            index=models.Index(fields=["-created_at", "-id"], name="invoicing_request_recent"),
        ),
        migrations.AddConstraint(
            model_name="paymentrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="invoicing_payment_request_amount"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("paid_at__isnull", False), ("payment_status", "succeeded")),
                    models.Q(models.Q(("payment_status", "succeeded"), _negated=True), ("paid_at__isnull", True)),
                    _connector="OR",
                ),
                name="invoicing_payment_request_paid_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentrequestinvoice",
            constraint=models.UniqueConstraint(
                fields=("payment_request", "invoice"), name="invoicing_payment_request_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentrequestinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="invoicing_payment_request_part"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
