"""Changes of plan: a subscription that follows another one, from the very instant at which that ends."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION billing_subscription_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing_subscription AS follower
        JOIN billing_subscription AS previous ON previous.id = follower.previous_id
        WHERE (follower.id = NEW.id OR previous.id = NEW.id) AND follower.status <> 'canceled' AND (
            follower.external_id <> previous.external_id
            OR follower.customer_id <> previous.customer_id
            OR (follower.started_at IS NOT NULL AND (
                previous.status <> 'terminated'
                OR follower.started_at <> previous.terminated_at
                OR previous.ended_by = ''
            ))
        );
    IF FOUND THEN
        RAISE EXCEPTION 'subscription % leaves a gap in its chain', NEW.external_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'billing_subscription_follows';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER billing_subscription_follows
    AFTER INSERT OR UPDATE OF previous_id, external_id, customer_id, status, started_at, terminated_at, ended_by
    ON billing_subscription DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing_subscription_follows();
"""

BACKWARD = """
DROP TRIGGER billing_subscription_follows ON billing_subscription;
DROP FUNCTION billing_subscription_follows();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0008_fixed_charges")]

    operations = [
        migrations.AlterModelOptions(
            name="subscription",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("terminate_subscription", "Can terminate subscription"),
                    ("change_plan", "Can change the plan of a subscription"),
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="subscription", name="billing_subscription_external_id"),
        migrations.AddField(
            model_name="subscription", name="change_date", field=models.DateField(editable=False, null=True)
        ),
        migrations.AddField(
            model_name="subscription",
            name="ended_by",
            field=models.CharField(
                blank=True,
                choices=[("upgrade", "an upgrade"), ("downgrade", "a downgrade")],
                default="",
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="on_termination_credit_note",
            field=models.CharField(
                blank=True,
                choices=[
                    ("credit", "credit it for later invoices"),
                    ("refund", "pay back what was paid of it, credit the rest"),
                    ("offset", "pay back what was paid of it, take the rest off what is due"),
                    ("skip", "keep it"),
                ],
                default="",
                max_length=16,
                verbose_name="unused time",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="previous",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="followers",
                to="billing.subscription",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("previous__isnull", False), ("status", "pending")),
                fields=["customer"],
                name="billing_subscription_change",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status", "active"),
                    models.Q(("previous__isnull", True), ("status", "pending")),
                    _connector="OR",
                ),
                fields=("external_id",),
                name="billing_subscription_external_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "pending")),
                fields=("external_id",),
                name="billing_subscription_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["pending", "active", "terminated"])),
                fields=("previous",),
                name="billing_subscription_follower",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("previous__isnull", False), ("status", "pending"), _negated=True),
                    ("change_date__isnull", False),
                    _connector="OR",
                ),
                name="billing_subscription_change_date",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_by", ""), ("status", "terminated"), _connector="OR"),
                name="billing_subscription_ended_by",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
