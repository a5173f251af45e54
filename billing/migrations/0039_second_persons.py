"""Rehearsals know who is behind the key that asked for them: none of these signs them off."""

from django.db import migrations, models

BEHIND = """
ALTER TABLE billing_rehearsal ADD CONSTRAINT billing_rehearsal_not_behind
    CHECK (signed_off_by_id IS NULL OR NOT behind @> to_jsonb(signed_off_by_id));
CREATE FUNCTION billing_rehearsal_behind_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rehearsal % was asked for as it is', OLD.id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER billing_rehearsal_behind_kept BEFORE UPDATE ON billing_rehearsal
    FOR EACH ROW WHEN (NEW.behind IS DISTINCT FROM OLD.behind) EXECUTE FUNCTION billing_rehearsal_behind_kept();
"""
NO_BEHIND = """
DROP TRIGGER billing_rehearsal_behind_kept ON billing_rehearsal;
DROP FUNCTION billing_rehearsal_behind_kept();
ALTER TABLE billing_rehearsal DROP CONSTRAINT billing_rehearsal_not_behind;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0038_long_lists")]

    operations = [
        migrations.AddField(
            model_name="rehearsal", name="behind", field=models.JSONField(default=list, editable=False)
        ),
        migrations.RunSQL(BEHIND, NO_BEHIND),
    ]
