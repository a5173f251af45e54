"""What invoices take off for coupons, what of them is disputed, whose taxes they wait for and in whose place they stand.

One that waits for taxes has no number and may be computed anew like a draft.
"""

import decimal

import django.db.models.deletion
import django.db.models.expressions
import djmoney.models.fields
from django.db import migrations, models

_BEFORE = (
    "'status', 'payment_status', 'paid_amount', 'paid_at', 'payment_overdue', 'voided_at', 'updated_at', 'offset_amount'"
)

FREEZE = """
CREATE OR REPLACE FUNCTION invoicing_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY[{later}];
    issuing text[] := ARRAY['number', 'sequential_id', 'issuing_date', 'payment_due_date', 'finalized_at', 'snapshot'];
BEGIN
    IF OLD.status IN ({drafts}) THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'invoice % is issued: DELETE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'open' AND NEW.status = 'finalized' THEN
        later := later || issuing;
    END IF;
    IF to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'invoice % is issued: UPDATE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND NOT (
        (OLD.status = 'finalized' AND NEW.status = 'voided') OR (OLD.status = 'open' AND NEW.status IN ('finalized', 'closed'))
    ) THEN
        RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION invoicing_refuse_unless_draft(invoice bigint, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM invoicing_invoice WHERE id = invoice AND status NOT IN ({drafts})) THEN
        RAISE EXCEPTION 'invoice % is issued: its % are frozen', invoice, what
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$;
"""
FORWARD = FREEZE.replace("{later}", f"{_BEFORE}, 'payment_dispute_lost_at', 'disputed_amount'").replace(
    "{drafts}", "'draft', 'pending', 'failed'"
)
BACKWARD = FREEZE.replace("{later}", _BEFORE).replace("{drafts}", "'draft'")


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0001_initial'),
        ('invoicing', '0011_prepaid'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoicing_invoice_total',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoicing_invoice_credit_notes',
        ),
        migrations.AddField(
            model_name='invoice',
            name='coupons_amount',
            field=djmoney.models.fields.MoneyField(currency_field_name='currency', decimal_places=4, default=decimal.Decimal, max_digits=20, verbose_name='coupons'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='disputed_amount',
            field=djmoney.models.fields.MoneyField(currency_field_name='currency', decimal_places=4, default=decimal.Decimal, max_digits=20, verbose_name='disputed'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='error_details',
            field=models.JSONField(default=list, editable=False),
        ),
        migrations.AddField(
            model_name='invoice',
            name='payment_dispute_lost_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='regenerated_from',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='regenerations', to='invoicing.invoice'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='precise_coupons_amount',
            field=models.DecimalField(decimal_places=15, default=decimal.Decimal, max_digits=40),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='kind',
            field=models.CharField(choices=[('subscription', 'subscription'), ('advance_charges', 'usage paid in advance'), ('progressive_billing', 'usage up to a threshold'), ('credit', 'prepaid credit'), ('one_off', 'one-off')], default='subscription', max_length=32),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='status',
            field=models.CharField(choices=[('draft', 'draft'), ('finalized', 'finalized'), ('voided', 'voided'), ('closed', 'closed without a document'), ('open', 'waits for its payment before it is issued'), ('pending', 'waits for its taxes'), ('failed', 'its taxes could not be worked out')], default='draft', max_length=16),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='kind',
            field=models.CharField(choices=[('subscription', 'subscription'), ('charge', 'usage'), ('fixed_charge', 'fixed charge'), ('commitment', 'commitment'), ('credit', 'prepaid credit'), ('add_on', 'add-on')], max_length=32),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['pending', 'failed']), _negated=True), models.Q(('finalized_at__isnull', True), ('number__isnull', True)), _connector='OR'), name='invoicing_invoice_untaxed_has_no_number'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('total_amount', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('fees_amount'), '-', models.F('progressive_billing_credit_amount')), '-', models.F('coupons_amount')), '+', models.F('taxes_amount')), '-', models.F('credit_notes_amount')), '-', models.F('prepaid_credit_amount')))), name='invoicing_invoice_total'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('coupons_amount__gte', 0), ('credit_notes_amount__gte', 0), ('disputed_amount__gte', 0), ('prepaid_credit_amount__gte', 0), ('progressive_billing_credit_amount__gte', 0), ('total_amount__gte', 0)), name='invoicing_invoice_credit_notes'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.CheckConstraint(condition=models.Q(('precise_coupons_amount', 0), models.Q(('precise_coupons_amount__gt', 0), ('precise_coupons_amount__lte', django.db.models.expressions.CombinedExpression(models.F('amount'), '-', models.F('progressive_credit_amount')))), _connector='OR'), name='invoicing_line_coupons'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
