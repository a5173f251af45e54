"""The trigger function that makes a table append-only, and the audit trail as its first user."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION platform_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER platform_audit_append_only BEFORE UPDATE OR DELETE ON platform_auditentry
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""

BACKWARD = """
DROP TRIGGER platform_audit_append_only ON platform_auditentry;
DROP FUNCTION platform_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("platform", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
