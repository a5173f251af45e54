"""Pauses: since when a subscription waits, and a chain that may leave the time of a pause between two of its rows."""

from django.db import migrations, models

_FUNCTION = """
CREATE OR REPLACE FUNCTION billing_subscription_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing_subscription AS follower
        JOIN billing_subscription AS previous ON previous.id = follower.previous_id
        WHERE (follower.id = NEW.id OR previous.id = NEW.id) AND follower.status <> 'canceled' AND (
            follower.external_id <> previous.external_id
            OR follower.customer_id <> previous.customer_id
            OR {rest}
        );
    IF FOUND THEN
        RAISE EXCEPTION 'subscription % leaves a gap in its chain', NEW.external_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'billing_subscription_follows';
    END IF;
    RETURN NULL;
END $$;
"""

# What follows a pause waits from its very instant, and starts whenever it resumes; nothing else waits after a pause.
_WITH_PAUSES = """(follower.started_at IS NOT NULL AND (
                previous.status <> 'terminated'
                OR previous.ended_by = ''
                OR follower.started_at < previous.terminated_at
                OR (previous.ended_by <> 'pause' AND follower.started_at <> previous.terminated_at)
            ))
            OR (follower.paused_at IS NOT NULL AND (
                previous.ended_by <> 'pause' OR follower.paused_at IS DISTINCT FROM previous.terminated_at
            ))
            OR (previous.ended_by = 'pause' AND follower.paused_at IS NULL)"""

_WITHOUT = """(follower.started_at IS NOT NULL AND (
                previous.status <> 'terminated'
                OR follower.started_at <> previous.terminated_at
                OR previous.ended_by = ''
            ))"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0015_changes")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="paused_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("change_date__isnull", False), ("status", "paused")),
                fields=["change_date"],
                name="billing_subscription_resume",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "paused"), _negated=True),
                    models.Q(
                        ("paused_at__isnull", False),
                        ("previous__isnull", False),
                        ("started_at__isnull", True),
                        models.Q(("pause_fee", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="billing_subscription_paused",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_by", "pause"), _negated=True),
                    models.Q(("pause_fee", ""), _negated=True),
                    _connector="OR",
                ),
                name="billing_subscription_pause_fee",
            ),
        ),
        migrations.RunSQL(_FUNCTION.format(rest=_WITH_PAUSES), _FUNCTION.format(rest=_WITHOUT)),
    ]
