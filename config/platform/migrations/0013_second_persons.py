"""Second persons: what counts against a limit, requests that nobody rewrites, who knows the secret of a key."""

from django.db import migrations, models

REQUESTS = """
CREATE FUNCTION platform_approval_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'request % is decided, not deleted', OLD.id USING ERRCODE = '23000';
    END IF;
    IF OLD.status <> 'waiting' THEN
        RAISE EXCEPTION 'request % is decided', OLD.id USING ERRCODE = '23000';
    END IF;
    IF to_jsonb(NEW) - '{status,decided_by_id,decided_at,remark}'::text[]
        <> to_jsonb(OLD) - '{status,decided_by_id,decided_at,remark}'::text[]
    THEN
        RAISE EXCEPTION 'request % was asked for as it is', OLD.id USING ERRCODE = '23000';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER platform_approval_kept BEFORE UPDATE OR DELETE ON platform_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION platform_approval_kept();
CREATE FUNCTION platform_approval_asked_of() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM platform_approvalrequest
        WHERE id = NEW.approvalrequest_id AND asked_of @> to_jsonb(NEW.group_id)
    ) THEN
        RAISE EXCEPTION 'request % was asked of others', NEW.approvalrequest_id USING ERRCODE = '23000';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER platform_approval_asked_of BEFORE INSERT OR UPDATE ON platform_approvalrequest_groups
    FOR EACH ROW EXECUTE FUNCTION platform_approval_asked_of();
"""
NO_REQUESTS = """
DROP TRIGGER platform_approval_asked_of ON platform_approvalrequest_groups;
DROP FUNCTION platform_approval_asked_of();
DROP TRIGGER platform_approval_kept ON platform_approvalrequest;
DROP FUNCTION platform_approval_kept();
"""
ASKED_OF = """
UPDATE platform_approvalrequest SET asked_of = found.ids FROM (
    SELECT approvalrequest_id, jsonb_agg(group_id ORDER BY group_id) AS ids
    FROM platform_approvalrequest_groups GROUP BY approvalrequest_id
) found WHERE found.approvalrequest_id = platform_approvalrequest.id
"""
TOTALS = "UPDATE platform_approvalrequest SET total = amount"
KNOWN_TO = """
UPDATE platform_apikey SET known_to = found.ids FROM (
    SELECT object_id, jsonb_agg(DISTINCT user_id) AS ids FROM platform_auditentry
    WHERE object_type = 'platform.apikey' AND verb IN ('create', 'rotate') AND user_id IS NOT NULL
    GROUP BY object_id
) found WHERE found.object_id = platform_apikey.id
"""
COUNTS = [
    ("each", "each by itself"),
    ("document", "all of the same document"),
    ("customer", "all of the same customer"),
]


class Migration(migrations.Migration):
    dependencies = [("platform", "0012_sign_off")]

    operations = [
        migrations.AddField(
            model_name="apikey", name="known_to", field=models.JSONField(blank=True, default=list, editable=False)
        ),
        migrations.AddField(
            model_name="approvalrequest", name="asked_of", field=models.JSONField(default=list, editable=False)
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="total",
            field=models.DecimalField(decimal_places=4, max_digits=20, null=True),
        ),
        # Rules that are there go on as they were: each amount by itself. Only new ones add up.
        migrations.AddField(
            model_name="approvalrule",
            name="counts",
            field=models.CharField(choices=COUNTS, default="each", max_length=16),
        ),
        migrations.AlterField(
            model_name="approvalrule",
            name="counts",
            field=models.CharField(choices=COUNTS, default="document", max_length=16),
        ),
        migrations.AddField(
            model_name="approvalrule", name="days", field=models.PositiveSmallIntegerField(blank=True, null=True)
        ),
        migrations.AddConstraint(
            model_name="approvalrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__isnull", True))
                | models.Q(("days__gt", 0), models.Q(("counts", "each"), _negated=True)),
                name="platform_approval_rule_days",
            ),
        ),
        migrations.AddIndex(
            model_name="approvalrequest",
            index=models.Index(fields=["asked_by", "status"], name="platform_approval_asker"),
        ),
        migrations.AddField(model_name="importfile", name="forgotten_at", field=models.DateTimeField(null=True)),
        migrations.AddIndex(
            model_name="importfile", index=models.Index(fields=["digest"], name="platform_import_digest")
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(fields=["file", "key", "number"], name="platform_import_row_key"),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(fields=["object_type", "object_id"], name="platform_import_row_object"),
        ),
        migrations.RunSQL(ASKED_OF, migrations.RunSQL.noop),
        migrations.RunSQL(TOTALS, migrations.RunSQL.noop),
        migrations.RunSQL(KNOWN_TO, migrations.RunSQL.noop),
        migrations.RunSQL(REQUESTS, NO_REQUESTS),
    ]
