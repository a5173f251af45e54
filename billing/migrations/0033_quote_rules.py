"""What was offered and signed stays as it was, and nobody consents to what they submitted themselves."""

from django.db import migrations, models

VERSION = """
CREATE FUNCTION billing_quote_version_kept() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER billing_quote_version_kept BEFORE UPDATE OR DELETE ON billing_quoteversion
    FOR EACH ROW EXECUTE FUNCTION billing_quote_version_kept();
"""

FORM = """
CREATE FUNCTION billing_order_form_kept() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER billing_order_form_kept BEFORE UPDATE OR DELETE ON billing_orderform
    FOR EACH ROW EXECUTE FUNCTION billing_order_form_kept();
"""

APPROVAL = """
CREATE FUNCTION billing_quote_approval_kept() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER billing_quote_approval_kept BEFORE INSERT OR UPDATE OR DELETE ON billing_quoteapproval
    FOR EACH ROW EXECUTE FUNCTION billing_quote_approval_kept();
"""

ORDER = """
CREATE FUNCTION billing_order_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an order stays' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.snapshot IS DISTINCT FROM OLD.snapshot OR NEW.order_form_id <> OLD.order_form_id
        OR (OLD.state = 'executed' AND (NEW.state <> OLD.state OR NEW.record IS DISTINCT FROM OLD.record)) THEN
        RAISE EXCEPTION 'order % stays as it was signed and executed', OLD.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_order_kept BEFORE UPDATE OR DELETE ON billing_order
    FOR EACH ROW EXECUTE FUNCTION billing_order_kept();
"""


def dropped(table: str, name: str) -> str:
    """Return the statements that undo a rule."""
    return f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();"


class Migration(migrations.Migration):
    dependencies = [("billing", "0032_quotes")]

    operations = [
        migrations.AddField(
            model_name="quoteversion",
            name="figures",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="quoteversion",
            name="contract_seen",
            field=models.CharField(blank=True, default="", editable=False, max_length=255),
        ),
        migrations.RunSQL(VERSION, dropped("billing_quoteversion", "billing_quote_version_kept")),
        migrations.RunSQL(FORM, dropped("billing_orderform", "billing_order_form_kept")),
        migrations.RunSQL(APPROVAL, dropped("billing_quoteapproval", "billing_quote_approval_kept")),
        migrations.RunSQL(ORDER, dropped("billing_order", "billing_order_kept")),
    ]
