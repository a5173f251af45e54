"""Coupons on credit notes, and the documents and e-mails of credit notes.

What all credit notes of an invoice give back is no more than it came to after coupons, and what they took off their
items for coupons is no more than the coupons took off the invoice.
"""

from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION invoicing_check_given_back() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bill record;
    given record;
    corrected record;
BEGIN
    SELECT * INTO bill FROM invoicing_invoice WHERE id = NEW.invoice_id;
    SELECT coalesce(sum(total_amount), 0) AS total, coalesce(sum(taxes_amount), 0) AS taxes,
           coalesce(sum(coupons_adjustment_amount), 0) AS coupons
      INTO given FROM invoicing_creditnote WHERE invoice_id = NEW.invoice_id;
    -- A line below nothing lowers what the invoice comes to, not what may be given back of the others.
    SELECT coalesce(sum(amount), 0) AS net, coalesce(sum(taxes_amount), 0) AS taxes
      INTO corrected FROM invoicing_invoiceline WHERE invoice_id = NEW.invoice_id AND amount < 0;
    IF given.coupons > bill.coupons_amount OR given.taxes > bill.taxes_amount - corrected.taxes
       OR given.total > bill.fees_amount - bill.progressive_billing_credit_amount - bill.coupons_amount
                        + bill.taxes_amount - corrected.net - corrected.taxes THEN
        RAISE EXCEPTION 'invoice %: % credited with % of tax and % of coupons, more than was billed',
            bill.id, given.total, given.taxes, given.coupons USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_credit_note_given_back AFTER INSERT OR UPDATE ON invoicing_creditnote
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_given_back();
"""

BACKWARD = """
DROP TRIGGER invoicing_credit_note_given_back ON invoicing_creditnote;
DROP FUNCTION invoicing_check_given_back();
"""

_OF_ONE = models.Q(
    models.Q(("credit_note__isnull", True), ("invoice__isnull", False)),
    models.Q(("credit_note__isnull", False), ("invoice__isnull", True)),
    _connector="OR",
)


def _of_credit_note(related_name):
    return models.ForeignKey(
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to="invoicing.creditnote",
    )


def _of_invoice(related_name):
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to="invoicing.invoice"
    )


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0017_voids")]

    operations = [
        migrations.AlterModelOptions(
            name="creditnote",
            options={
                "ordering": ["-issuing_date", "-created_at", "-id"],
                "permissions": [
                    ("void_creditnote", "Can void credit note"),
                    ("refund_creditnote", "Can tell a refund"),
                    ("send_creditnote", "Can send credit note"),
                ],
                "verbose_name": "credit note",
            },
        ),
        migrations.AddField(
            model_name="creditnote",
            name="precise_coupons_adjustment_amount",
            field=models.DecimalField(decimal_places=15, default=Decimal, max_digits=40),
        ),
        migrations.RemoveConstraint(model_name="creditnote", name="invoicing_credit_note_amounts"),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("coupons_adjustment_amount__gte", 0),
                    ("credit_amount__gte", 0),
                    ("offset_amount__gte", 0),
                    ("refund_amount__gte", 0),
                    ("sub_total_amount__gte", 0),
                    ("taxes_amount__gte", 0),
                    ("total_amount__gt", 0),
                ),
                name="invoicing_credit_note_amounts",
            ),
        ),
        migrations.AlterField(model_name="document", name="invoice", field=_of_invoice("documents")),
        migrations.AddField(model_name="document", name="credit_note", field=_of_credit_note("documents")),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                fields=("credit_note", "kind"), name="invoicing_document_credit_note_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(condition=_OF_ONE, name="invoicing_document_of_one"),
        ),
        migrations.AlterField(model_name="delivery", name="invoice", field=_of_invoice("deliveries")),
        migrations.AddField(model_name="delivery", name="credit_note", field=_of_credit_note("deliveries")),
        migrations.AddField(model_name="delivery", name="cc", field=models.JSONField(default=list)),
        migrations.AddField(model_name="delivery", name="bcc", field=models.JSONField(default=list)),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("credit_note", "number"), name="invoicing_delivery_credit_note_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(condition=_OF_ONE, name="invoicing_delivery_of_one"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
