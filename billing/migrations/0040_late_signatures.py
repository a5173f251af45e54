"""A signature on paper says when it was given: one that comes back after the last day counts if it was in time.

Versions of quotes know who is behind the keys that wrote them: none of these approves them.
"""

from django.db import migrations, models

VERSION = """
CREATE OR REPLACE FUNCTION billing_quote_version_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a version of a quote is voided, not deleted' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state <> 'draft' AND (
        NEW.terms IS DISTINCT FROM OLD.terms
        OR NEW.figures IS DISTINCT FROM OLD.figures
        OR NEW.introduction IS DISTINCT FROM OLD.introduction
        OR NEW.valid_until IS DISTINCT FROM OLD.valid_until
        OR NEW.terms_sha256 IS DISTINCT FROM OLD.terms_sha256
        OR NEW.contract_seen IS DISTINCT FROM OLD.contract_seen
        OR NEW.currency IS DISTINCT FROM OLD.currency
        OR NEW.recurring_amount IS DISTINCT FROM OLD.recurring_amount
        OR NEW.first_year_amount IS DISTINCT FROM OLD.first_year_amount
        OR NEW.total_amount IS DISTINCT FROM OLD.total_amount
        OR NEW.discount_rate IS DISTINCT FROM OLD.discount_rate
        OR NEW.term_months IS DISTINCT FROM OLD.term_months
        OR NEW.payment_term_days IS DISTINCT FROM OLD.payment_term_days
        OR NEW.submitted_by_id IS DISTINCT FROM OLD.submitted_by_id
        OR NEW.behind IS DISTINCT FROM OLD.behind
    ) THEN
        RAISE EXCEPTION 'the terms of version % are frozen', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.quote_id <> NEW.quote_id OR OLD.number <> NEW.number THEN
        RAISE EXCEPTION 'version % stays with its quote', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('accepted', 'declined', 'expired', 'voided') AND NEW.state <> OLD.state
        AND NOT (OLD.state = 'expired' AND NEW.state = 'accepted') THEN
        RAISE EXCEPTION 'version % is %', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

VERSION_BEFORE = """
CREATE OR REPLACE FUNCTION billing_quote_version_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a version of a quote is voided, not deleted' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state <> 'draft' AND (
        NEW.terms IS DISTINCT FROM OLD.terms
        OR NEW.figures IS DISTINCT FROM OLD.figures
        OR NEW.introduction IS DISTINCT FROM OLD.introduction
        OR NEW.valid_until IS DISTINCT FROM OLD.valid_until
        OR NEW.terms_sha256 IS DISTINCT FROM OLD.terms_sha256
        OR NEW.contract_seen IS DISTINCT FROM OLD.contract_seen
        OR NEW.currency IS DISTINCT FROM OLD.currency
        OR NEW.recurring_amount IS DISTINCT FROM OLD.recurring_amount
        OR NEW.first_year_amount IS DISTINCT FROM OLD.first_year_amount
        OR NEW.total_amount IS DISTINCT FROM OLD.total_amount
        OR NEW.discount_rate IS DISTINCT FROM OLD.discount_rate
        OR NEW.term_months IS DISTINCT FROM OLD.term_months
        OR NEW.payment_term_days IS DISTINCT FROM OLD.payment_term_days
        OR NEW.submitted_by_id IS DISTINCT FROM OLD.submitted_by_id
    ) THEN
        RAISE EXCEPTION 'the terms of version % are frozen', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.quote_id <> NEW.quote_id OR OLD.number <> NEW.number THEN
        RAISE EXCEPTION 'version % stays with its quote', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('accepted', 'declined', 'expired', 'voided') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'version % is %', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

FORM = """
CREATE OR REPLACE FUNCTION billing_order_form_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an order form is voided, not deleted' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.sha256 <> '' AND (NEW.sha256 <> OLD.sha256 OR NEW.file <> OLD.file OR NEW.size <> OLD.size) THEN
        RAISE EXCEPTION 'the document of order form % is rendered', OLD.number USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.version_id <> OLD.version_id OR NEW.number <> OLD.number THEN
        RAISE EXCEPTION 'order form % stays with its version', OLD.number USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'expired' AND NEW.state = 'signed' AND NEW.signed_on IS NOT NULL THEN
        RETURN NEW; -- it was signed in time, and came back late
    END IF;
    IF OLD.state <> 'generated' AND (
        NEW.state <> OLD.state
        OR NEW.signed_on IS DISTINCT FROM OLD.signed_on
        OR NEW.decided_at IS DISTINCT FROM OLD.decided_at
        OR NEW.signer_name <> OLD.signer_name
        OR NEW.signer_title <> OLD.signer_title
        OR NEW.signer_email <> OLD.signer_email
        OR NEW.signer_address <> OLD.signer_address
        OR NEW.signer_client <> OLD.signer_client
        OR NEW.recorded_by <> OLD.recorded_by
        OR NEW.reason <> OLD.reason
        OR NEW.signed_document <> OLD.signed_document
        OR NEW.customer_id IS DISTINCT FROM OLD.customer_id
    ) THEN
        RAISE EXCEPTION 'order form % is %', OLD.number, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

FORM_BEFORE = """
CREATE OR REPLACE FUNCTION billing_order_form_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an order form is voided, not deleted' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.sha256 <> '' AND (NEW.sha256 <> OLD.sha256 OR NEW.file <> OLD.file OR NEW.size <> OLD.size) THEN
        RAISE EXCEPTION 'the document of order form % is rendered', OLD.number USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state <> 'generated' AND (
        NEW.state <> OLD.state
        OR NEW.version_id <> OLD.version_id
        OR NEW.number <> OLD.number
        OR NEW.decided_at IS DISTINCT FROM OLD.decided_at
        OR NEW.signer_name <> OLD.signer_name
        OR NEW.signer_title <> OLD.signer_title
        OR NEW.signer_email <> OLD.signer_email
        OR NEW.signer_address <> OLD.signer_address
        OR NEW.signer_client <> OLD.signer_client
        OR NEW.recorded_by <> OLD.recorded_by
        OR NEW.reason <> OLD.reason
        OR NEW.signed_document <> OLD.signed_document
        OR NEW.customer_id IS DISTINCT FROM OLD.customer_id
    ) THEN
        RAISE EXCEPTION 'order form % is %', OLD.number, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

APPROVAL = """
CREATE OR REPLACE FUNCTION billing_quote_approval_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an approval is decided, not deleted' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state <> 'pending' THEN
        RAISE EXCEPTION 'approval % is %', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.decided_by_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM billing_quoteversion v WHERE v.id = NEW.version_id
        AND (v.submitted_by_id = NEW.decided_by_id OR v.behind @> to_jsonb(NEW.decided_by_id))
    ) THEN
        RAISE EXCEPTION 'nobody approves a quote of their own' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

APPROVAL_BEFORE = """
CREATE OR REPLACE FUNCTION billing_quote_approval_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an approval is decided, not deleted' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state <> 'pending' THEN
        RAISE EXCEPTION 'approval % is %', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.decided_by_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM billing_quoteversion v WHERE v.id = NEW.version_id AND v.submitted_by_id = NEW.decided_by_id
    ) THEN
        RAISE EXCEPTION 'nobody approves a quote of their own' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0039_second_persons")]

    operations = [
        migrations.AlterModelOptions(
            name="quote",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("send_quote", "Can send quotes to customers"),
                    ("approve_quote", "Can approve and reject quotes"),
                    ("sign_quote", "Can record that a customer accepted or declined"),
                    ("sign_late_quote", "Can record a signature that came back after the last day"),
                ],
            },
        ),
        migrations.AddField(
            model_name="orderform",
            name="signed_on",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="quoteversion", name="behind", field=models.JSONField(default=list, editable=False)
        ),
        migrations.RunSQL(VERSION, VERSION_BEFORE),
        migrations.RunSQL(FORM, FORM_BEFORE),
        migrations.RunSQL(APPROVAL, APPROVAL_BEFORE),
    ]
