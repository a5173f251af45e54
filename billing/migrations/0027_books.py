"""What was billed stays as it was rated: the times and the stored calculations of issued lines are frozen."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION billing_freeze_rated_charge() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['released_at', 'period_id'];
BEGIN
    IF (TG_OP = 'DELETE' OR to_jsonb(NEW) - later <> to_jsonb(OLD) - later) AND EXISTS (
        SELECT 1 FROM invoicing_invoiceline line LEFT JOIN invoicing_invoice bill ON bill.id = line.invoice_id
         WHERE line.id = OLD.line_id
           AND (bill.id IS NULL OR bill.status NOT IN ('draft', 'pending', 'failed'))
    ) THEN
        RAISE EXCEPTION 'rated charge % is billed: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER billing_rated_charge_frozen BEFORE UPDATE OR DELETE ON billing_ratedcharge
    FOR EACH ROW EXECUTE FUNCTION billing_freeze_rated_charge();

CREATE FUNCTION billing_freeze_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['released_at', 'late_checked', 'usage_horizon'];
BEGIN
    IF (TG_OP = 'DELETE' OR to_jsonb(NEW) - later <> to_jsonb(OLD) - later) AND EXISTS (
        SELECT 1 FROM invoicing_invoice bill
         WHERE bill.id = OLD.invoice_id AND bill.status NOT IN ('draft', 'pending', 'failed')
    ) THEN
        RAISE EXCEPTION 'period % is billed: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER billing_period_frozen BEFORE UPDATE OR DELETE ON billing_billedperiod
    FOR EACH ROW EXECUTE FUNCTION billing_freeze_period();
"""

BACKWARD = """
DROP TRIGGER billing_period_frozen ON billing_billedperiod;
DROP FUNCTION billing_freeze_period();
DROP TRIGGER billing_rated_charge_frozen ON billing_ratedcharge;
DROP FUNCTION billing_freeze_rated_charge();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0026_documents"), ("invoicing", "0020_books")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
