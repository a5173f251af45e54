"""Triggers of the ledger: entries and postings are append-only, and each entry sums to zero in every currency."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER invoicing_entry_append_only BEFORE UPDATE OR DELETE ON invoicing_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_posting_append_only BEFORE UPDATE OR DELETE ON invoicing_ledgerposting
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();

CREATE FUNCTION invoicing_check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_ledgerentry' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'entry_id')::bigint END;
    off record;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM invoicing_ledgerposting WHERE entry_id = checked) THEN
        RAISE EXCEPTION 'ledger entry % has no postings', checked USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT currency, sum(amount) AS total INTO off FROM invoicing_ledgerposting
        WHERE entry_id = checked GROUP BY currency HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger entry % is off by % %', checked, off.total, off.currency
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_entry_balanced AFTER INSERT ON invoicing_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_balanced();
CREATE CONSTRAINT TRIGGER invoicing_posting_balanced AFTER INSERT ON invoicing_ledgerposting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_balanced();
"""

BACKWARD = """
DROP TRIGGER invoicing_posting_balanced ON invoicing_ledgerposting;
DROP TRIGGER invoicing_entry_balanced ON invoicing_ledgerentry;
DROP FUNCTION invoicing_check_balanced();
DROP TRIGGER invoicing_posting_append_only ON invoicing_ledgerposting;
DROP TRIGGER invoicing_entry_append_only ON invoicing_ledgerentry;
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0002_frozen_documents")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
