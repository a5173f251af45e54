"""Prepaid commitments of contracts: how they are invoiced, and their instalments.

An instalment stays as it was invoiced; what it granted is set once.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE FUNCTION billing_freeze_prepaid_instalment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.credit_id IS NOT NULL OR to_jsonb(NEW) - 'credit_id' <> to_jsonb(OLD) - 'credit_id' THEN
        RAISE EXCEPTION 'instalment % is invoiced: % refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_prepaid_instalment_frozen BEFORE UPDATE OR DELETE ON billing_prepaidinstalment
    FOR EACH ROW EXECUTE FUNCTION billing_freeze_prepaid_instalment();
"""

BACKWARD = """
DROP TRIGGER billing_prepaid_instalment_frozen ON billing_prepaidinstalment;
DROP FUNCTION billing_freeze_prepaid_instalment();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0021_activation"), ("invoicing", "0011_prepaid")]

    operations = [
        migrations.CreateModel(
            name="PrepaidInstalment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.PositiveSmallIntegerField()),
                ("due_on", models.DateField()),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="instalment"
                    ),
                ),
            ],
            options={
                "verbose_name": "instalment of a prepaid commitment",
                "verbose_name_plural": "instalments of prepaid commitments",
                "ordering": ["commitment", "number"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="contractcommitment",
            name="billing_contract_commitment_item",
        ),
        migrations.RemoveConstraint(
            model_name="contractcommitment",
            name="billing_contract_commitment_settled",
        ),
        migrations.AddField(
            model_name="contractcommitment",
            name="follows",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="followed_by",
                to="billing.contractcommitment",
            ),
        ),
        migrations.AddField(
            model_name="contractcommitment",
            name="grant_on",
            field=models.CharField(
                choices=[("payment", "once it is paid"), ("issue", "as soon as it is invoiced")],
                default="payment",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="contractcommitment",
            name="instalments",
            field=models.CharField(
                choices=[
                    ("whole", "in whole"),
                    ("monthly", "monthly"),
                    ("quarterly", "quarterly"),
                    ("yearly", "yearly"),
                ],
                default="whole",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="contractcommitment",
            name="rolls_over",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="contractcommitment",
            name="kind",
            field=models.CharField(
                choices=[("period", "for each period"), ("term", "over the term"), ("prepaid", "prepaid, drawn down")],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="contractcommitment",
            index=models.Index(
                condition=models.Q(("kind", "prepaid"), ("settled_at__isnull", True)),
                fields=["starts_on"],
                name="billing_prepaid_commitment",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractcommitment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("item__isnull", False), ("kind", "period")),
                    models.Q(("item__isnull", True), ("kind__in", ["term", "prepaid"])),
                    _connector="OR",
                ),
                name="billing_contract_commitment_item",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractcommitment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("line__isnull", True), ("settled_at__isnull", True)),
                    models.Q(("kind", "prepaid"), ("line__isnull", True), ("settled_at__isnull", False)),
                    models.Q(
                        ("billed_amount__isnull", False),
                        ("due_amount__isnull", False),
                        ("kind", "term"),
                        ("settled_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="billing_contract_commitment_settled",
            ),
        ),
        migrations.AddField(
            model_name="prepaidinstalment",
            name="commitment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="instalment_rows",
                to="billing.contractcommitment",
            ),
        ),
        migrations.AddField(
            model_name="prepaidinstalment",
            name="credit",
            field=models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="instalment",
                to="invoicing.prepaidcredit",
            ),
        ),
        migrations.AddField(
            model_name="prepaidinstalment",
            name="line",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prepaid_instalment",
                to="invoicing.invoiceline",
            ),
        ),
        migrations.AddConstraint(
            model_name="prepaidinstalment",
            constraint=models.UniqueConstraint(
                fields=("commitment", "number"), name="billing_prepaid_instalment_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="prepaidinstalment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="billing_prepaid_instalment_amount"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
