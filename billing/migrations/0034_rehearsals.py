"""What was rehearsed stays as it was; rules that find outliers."""

from decimal import Decimal

from django.db import migrations
from django.utils import timezone

INVOICE = """
CREATE FUNCTION billing_rehearsed_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state_now text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'what was rehearsed stays as it was' USING ERRCODE = 'check_violation';
    END IF;
    SELECT state INTO state_now FROM billing_rehearsal WHERE id = NEW.rehearsal_id;
    IF state_now <> 'running' THEN
        RAISE EXCEPTION 'rehearsal % is %', NEW.rehearsal_id, state_now USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_rehearsed_kept BEFORE INSERT OR UPDATE OR DELETE ON billing_rehearsedinvoice
    FOR EACH ROW EXECUTE FUNCTION billing_rehearsed_kept();
"""

REHEARSAL = """
CREATE FUNCTION billing_rehearsal_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a rehearsal is dropped, not deleted' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.as_of <> OLD.as_of
        OR NEW.requested_by_id IS DISTINCT FROM OLD.requested_by_id
        OR NEW.requested_label <> OLD.requested_label
    THEN
        RAISE EXCEPTION 'rehearsal % was asked for as it is', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('billed', 'dropped') AND NEW.state <> OLD.state
        OR OLD.state = 'signed_off' AND NEW.state NOT IN ('signed_off', 'billed', 'dropped')
        OR NEW.state = 'signed_off' AND OLD.state NOT IN ('ready', 'signed_off')
        OR NEW.state = 'billed' AND OLD.state NOT IN ('signed_off', 'billed')
    THEN
        RAISE EXCEPTION 'rehearsal % is %', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.signed_off_at IS NOT NULL AND (
        NEW.signed_off_at IS DISTINCT FROM OLD.signed_off_at
        OR NEW.signed_off_by_id IS DISTINCT FROM OLD.signed_off_by_id
        OR NEW.remark <> OLD.remark
        OR NEW.invoices_count <> OLD.invoices_count
        OR NEW.flagged_count <> OLD.flagged_count
        OR NEW.computed_until <> OLD.computed_until
    ) THEN
        RAISE EXCEPTION 'rehearsal % is signed off', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.run_id IS NOT NULL AND NEW.run_id IS DISTINCT FROM OLD.run_id THEN
        RAISE EXCEPTION 'rehearsal % is billed by its run', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_rehearsal_kept BEFORE UPDATE OR DELETE ON billing_rehearsal
    FOR EACH ROW EXECUTE FUNCTION billing_rehearsal_kept();
"""

DEFAULTS = (
    ("More than three times last period", "times_more", Decimal(3)),
    ("Negative", "negative", None),
    ("No usage where there always was some", "zero_usage", None),
    ("Another tax treatment", "new_tax", None),
    ("No purchase order number", "no_purchase_order", None),
)


def make_rules(apps, schema_editor):
    """Begin with rules that fit everybody."""
    rules = apps.get_model("billing", "OutlierRule")
    at = timezone.now()
    for name, kind, factor in DEFAULTS:
        rules.objects.create(name=name, kind=kind, factor=factor, created_at=at, updated_at=at)


class Migration(migrations.Migration):
    dependencies = [("billing", "0033_quote_rules")]

    operations = [
        migrations.RunSQL(
            INVOICE,
            "DROP TRIGGER billing_rehearsed_kept ON billing_rehearsedinvoice; DROP FUNCTION billing_rehearsed_kept();",
        ),
        migrations.RunSQL(
            REHEARSAL,
            "DROP TRIGGER billing_rehearsal_kept ON billing_rehearsal; DROP FUNCTION billing_rehearsal_kept();",
        ),
        migrations.RunPython(make_rules, migrations.RunPython.noop),
    ]
