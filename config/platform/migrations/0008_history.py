"""From where something was done, words of the audit trail by which it is found, and who looked at personal data."""

import uuid

import django.utils.timezone
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION platform_audit_words(label text, actor text, verb text, reason text, old jsonb, new jsonb)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.simple'::regconfig, regexp_replace(left(
        label || ' ' || actor || ' ' || verb || ' ' || reason || ' ' || old::text || ' ' || new::text, 20000
    ), '[^[:alnum:]]+', ' ', 'g'))
$$;

CREATE INDEX platform_audit_words_index ON platform_auditentry
    USING gin (platform_audit_words(object_label, actor_label, verb, reason, old, new));

CREATE FUNCTION platform_keep_looks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('quittance.purges_looks', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER platform_personal_view_append_only BEFORE UPDATE OR DELETE ON platform_personaldataview
    FOR EACH ROW EXECUTE FUNCTION platform_keep_looks();
"""

BACKWARD = """
DROP TRIGGER platform_personal_view_append_only ON platform_personaldataview;
DROP FUNCTION platform_keep_looks();
DROP INDEX platform_audit_words_index;
DROP FUNCTION platform_audit_words(text, text, text, text, jsonb, jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0007_approvals"),
    ]

    operations = [
        migrations.CreateModel(
            name="PersonalDataView",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("at", models.DateTimeField()),
                ("user_id", models.BigIntegerField()),
                ("user_label", models.CharField(max_length=255)),
                (
                    "page",
                    models.CharField(
                        choices=[("object", "page"), ("list", "list"), ("search", "search"), ("file", "file")],
                        max_length=16,
                    ),
                ),
                ("object_type", models.CharField(max_length=64)),
                ("object_id", models.BigIntegerField(null=True)),
                ("object_label", models.CharField(blank=True, default="", max_length=255)),
                ("path", models.CharField(max_length=512)),
                ("term", models.CharField(blank=True, default="", max_length=255)),
                ("address", models.CharField(blank=True, default="", max_length=64)),
                ("client", models.CharField(blank=True, default="", max_length=512)),
            ],
            options={
                "verbose_name": "look at personal data",
                "verbose_name_plural": "looks at personal data",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.AddField(
            model_name="auditentry",
            name="address",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="client",
            field=models.CharField(blank=True, default="", max_length=512),
        ),
        migrations.AddField(
            model_name="installation",
            name="records_personal_views",
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["user", "-at"], name="platform_audit_user"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["verb", "-at"], name="platform_audit_verb"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("address", ""), _negated=True),
                fields=["address", "-at"],
                name="platform_audit_address",
            ),
        ),
        migrations.AddIndex(
            model_name="personaldataview",
            index=models.Index(fields=["-at", "-id"], name="platform_view_at"),
        ),
        migrations.AddIndex(
            model_name="personaldataview",
            index=models.Index(fields=["object_type", "object_id", "-at"], name="platform_view_object"),
        ),
        migrations.AddIndex(
            model_name="personaldataview",
            index=models.Index(fields=["user_id", "-at"], name="platform_view_user"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
