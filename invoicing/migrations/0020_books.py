"""Checks of the books and what they found, and what the books still lacked of their locks.

Results and findings are written once and kept as they are. To an entry that is booked nothing is posted any more, and
the counters of numbers never go back.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER invoicing_books_result_append_only BEFORE UPDATE OR DELETE ON invoicing_bookscheckresult
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_books_finding_append_only BEFORE UPDATE OR DELETE ON invoicing_booksfinding
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();

CREATE FUNCTION invoicing_freeze_books_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status <> 'running' THEN
        RAISE EXCEPTION 'books check % is done: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_books_check_frozen BEFORE UPDATE OR DELETE ON invoicing_bookscheck
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_books_check();

-- An entry is whole when its transaction ends: nothing is posted to it later. What this transaction wrote is in progress;
-- its savepoints have numbers above its own, whole epochs below them are of former times.
CREATE FUNCTION invoicing_refuse_later_postings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_at bigint := pg_current_xact_id()::text::bigint;
    posted bigint;
BEGIN
    SELECT entry.id INTO posted FROM invoicing_ledgerentry entry
     WHERE entry.id IN (SELECT made.entry_id FROM made)
       AND pg_xact_status((
               ((now_at >> 32) - CASE WHEN entry.xmin::text::bigint > (now_at & 4294967295) + 1000000 THEN 1 ELSE 0 END) << 32
               | entry.xmin::text::bigint
           )::text::xid8) IS DISTINCT FROM 'in progress'
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger entry % is booked: nothing is posted to it any more', posted
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER invoicing_posting_with_entry AFTER INSERT ON invoicing_ledgerposting
    REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION invoicing_refuse_later_postings();

CREATE FUNCTION invoicing_keep_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.last_value < OLD.last_value OR NEW.scope <> OLD.scope THEN
        RAISE EXCEPTION 'counter % stands at %: % refused', OLD.scope, OLD.last_value, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_counter_kept BEFORE UPDATE OR DELETE ON platform_numbersequence
    FOR EACH ROW EXECUTE FUNCTION invoicing_keep_counter();
"""

BACKWARD = """
DROP TRIGGER invoicing_counter_kept ON platform_numbersequence;
DROP FUNCTION invoicing_keep_counter();
DROP TRIGGER invoicing_posting_with_entry ON invoicing_ledgerposting;
DROP FUNCTION invoicing_refuse_later_postings();
DROP TRIGGER invoicing_books_check_frozen ON invoicing_bookscheck;
DROP FUNCTION invoicing_freeze_books_check();
DROP TRIGGER invoicing_books_finding_append_only ON invoicing_booksfinding;
DROP TRIGGER invoicing_books_result_append_only ON invoicing_bookscheckresult;
"""

_BASE = [
    ("id", models.BigAutoField(primary_key=True, serialize=False)),
    ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
    ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
]


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0019_ledger"), ("platform", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name="BooksCheck",
            fields=[
                *_BASE,
                ("as_of", models.DateTimeField()),
                ("trigger", models.CharField(max_length=255)),
                ("since", models.DateTimeField(null=True)),
                ("sample", models.PositiveIntegerField()),
                ("seed", models.PositiveBigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[("running", "running"), ("passed", "in order"), ("failed", "with findings")],
                        default="running",
                        max_length=16,
                    ),
                ),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                ("milliseconds", models.PositiveBigIntegerField(default=0)),
                ("checks_total", models.PositiveIntegerField(default=0)),
                ("checks_count", models.PositiveIntegerField(default=0)),
                ("broken_count", models.PositiveIntegerField(default=0)),
                ("findings_count", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "books check",
                "ordering": ["-id"],
                "permissions": [("run_bookscheck", "Can run a books check")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("status", "running")),
                            models.Q(
                                ("broken_count", 0),
                                ("checks_count", models.F("checks_total")),
                                ("finished_at__isnull", False),
                                ("status", "passed"),
                            ),
                            models.Q(("broken_count__gt", 0), ("finished_at__isnull", False), ("status", "failed")),
                            _connector="OR",
                        ),
                        name="invoicing_books_check_status",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BooksCheckResult",
            fields=[
                *_BASE,
                ("position", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=64)),
                ("title", models.CharField(max_length=255)),
                ("proves", models.TextField()),
                ("is_sampled", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("passed", "holds"), ("failed", "broken"), ("error", "could not be run")],
                        max_length=16,
                    ),
                ),
                ("looked_at", models.PositiveBigIntegerField(default=0)),
                ("findings_count", models.PositiveBigIntegerField(default=0)),
                ("milliseconds", models.PositiveBigIntegerField(default=0)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "books_check",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="invoicing.bookscheck",
                    ),
                ),
            ],
            options={
                "verbose_name": "result of a books check",
                "verbose_name_plural": "results of books checks",
                "ordering": ["books_check", "position"],
                "constraints": [
                    models.UniqueConstraint(fields=("books_check", "name"), name="invoicing_books_result_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("findings_count", 0), ("status", "passed")),
                            models.Q(("findings_count__gt", 0), ("status", "failed")),
                            models.Q(("findings_count", 0), ("status", "error")),
                            _connector="OR",
                        ),
                        name="invoicing_books_result_status",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BooksFinding",
            fields=[
                *_BASE,
                ("subject_type", models.CharField(max_length=64)),
                ("subject_id", models.BigIntegerField()),
                ("label", models.CharField(max_length=255)),
                ("message", models.TextField()),
                (
                    "result",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="findings",
                        to="invoicing.bookscheckresult",
                    ),
                ),
            ],
            options={
                "verbose_name": "finding of a books check",
                "verbose_name_plural": "findings of books checks",
                "ordering": ["id"],
                "indexes": [models.Index(fields=["subject_type", "subject_id"], name="invoicing_books_subject")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
