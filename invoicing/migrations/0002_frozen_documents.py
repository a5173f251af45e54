"""Triggers that freeze issued documents and money that was booked.

A finalized invoice keeps every column but those that tell its later life (payment, overdue, void); its lines and taxes
may no longer be written at all. The paid amount must equal the allocations of payments when the transaction ends.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION invoicing_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['status', 'payment_status', 'paid_amount', 'paid_at', 'payment_overdue', 'voided_at', 'updated_at'];
BEGIN
    IF OLD.status = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'invoice % is issued: DELETE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'invoice % is issued: UPDATE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND NOT (OLD.status = 'finalized' AND NEW.status = 'voided') THEN
        RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_invoice_frozen BEFORE UPDATE OR DELETE ON invoicing_invoice
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_invoice();

CREATE FUNCTION invoicing_refuse_unless_draft(invoice bigint, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM invoicing_invoice WHERE id = invoice AND status <> 'draft') THEN
        RAISE EXCEPTION 'invoice % is issued: its % are frozen', invoice, what
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$;

CREATE FUNCTION invoicing_freeze_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM invoicing_refuse_unless_draft(OLD.invoice_id, 'lines'); END IF;
    IF TG_OP <> 'DELETE' THEN PERFORM invoicing_refuse_unless_draft(NEW.invoice_id, 'lines'); END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoicing_line_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoicing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_line();

CREATE FUNCTION invoicing_freeze_tax() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM invoicing_refuse_unless_draft(OLD.invoice_id, 'taxes'); END IF;
    IF TG_OP <> 'DELETE' THEN PERFORM invoicing_refuse_unless_draft(NEW.invoice_id, 'taxes'); END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoicing_tax_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoicing_invoicetax
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_tax();

CREATE FUNCTION invoicing_freeze_line_tax() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM invoicing_refuse_unless_draft((SELECT invoice_id FROM invoicing_invoiceline WHERE id = OLD.line_id), 'taxes');
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM invoicing_refuse_unless_draft((SELECT invoice_id FROM invoicing_invoiceline WHERE id = NEW.line_id), 'taxes');
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoicing_line_tax_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoicing_linetax
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_line_tax();

CREATE TRIGGER invoicing_document_append_only BEFORE UPDATE OR DELETE ON invoicing_document
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_payment_append_only BEFORE UPDATE OR DELETE ON invoicing_payment
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_allocation_append_only BEFORE UPDATE OR DELETE ON invoicing_paymentallocation
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();

CREATE FUNCTION invoicing_check_paid() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_invoice' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'invoice_id')::bigint END;
    paid numeric;
    allocated numeric;
BEGIN
    SELECT paid_amount INTO paid FROM invoicing_invoice WHERE id = checked;
    SELECT coalesce(sum(amount), 0) INTO allocated FROM invoicing_paymentallocation WHERE invoice_id = checked;
    IF paid <> allocated THEN
        RAISE EXCEPTION 'invoice %: paid amount % differs from its payments %', checked, paid, allocated
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_invoice_paid_sum AFTER UPDATE OF paid_amount ON invoicing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_paid();
CREATE CONSTRAINT TRIGGER invoicing_allocation_paid_sum AFTER INSERT ON invoicing_paymentallocation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_paid();
"""

BACKWARD = """
DROP TRIGGER invoicing_allocation_paid_sum ON invoicing_paymentallocation;
DROP TRIGGER invoicing_invoice_paid_sum ON invoicing_invoice;
DROP FUNCTION invoicing_check_paid();
DROP TRIGGER invoicing_allocation_append_only ON invoicing_paymentallocation;
DROP TRIGGER invoicing_payment_append_only ON invoicing_payment;
DROP TRIGGER invoicing_document_append_only ON invoicing_document;
DROP TRIGGER invoicing_line_tax_frozen ON invoicing_linetax;
DROP FUNCTION invoicing_freeze_line_tax();
DROP TRIGGER invoicing_tax_frozen ON invoicing_invoicetax;
DROP FUNCTION invoicing_freeze_tax();
DROP TRIGGER invoicing_line_frozen ON invoicing_invoiceline;
DROP FUNCTION invoicing_freeze_line();
DROP FUNCTION invoicing_refuse_unless_draft(bigint, text);
DROP TRIGGER invoicing_invoice_frozen ON invoicing_invoice;
DROP FUNCTION invoicing_freeze_invoice();
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0001_initial"), ("platform", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
