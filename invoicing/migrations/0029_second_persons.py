"""Opening balances that are taken back, and what was settled of them undone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0028_api_lists")]

    operations = [
        migrations.AddField(
            model_name="openingbalance", name="attempt", field=models.PositiveSmallIntegerField(default=1)
        ),
        migrations.AddField(
            model_name="openingsettlement",
            name="undoes",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="invoicing.openingsettlement",
            ),
        ),
        migrations.AlterField(
            model_name="openingsettlement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("paid", "paid"),
                    ("written_off", "written off"),
                    ("paid_back", "paid back"),
                    ("undone", "undone"),
                    ("taken_back", "taken back"),
                ],
                max_length=16,
            ),
        ),
        migrations.RemoveConstraint(model_name="openingbalance", name="invoicing_opening_reference"),
        migrations.AddConstraint(
            model_name="openingbalance",
            constraint=models.UniqueConstraint(
                fields=("billing_entity", "customer", "kind", "reference", "attempt"),
                name="invoicing_opening_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="openingsettlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "undone"), ("undoes__isnull", False))
                | models.Q(models.Q(("kind", "undone"), _negated=True), ("undoes__isnull", True)),
                name="invoicing_opening_undone",
            ),
        ),
        migrations.AddConstraint(
            model_name="openingsettlement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "taken_back")),
                fields=("opening",),
                name="invoicing_opening_taken_back_once",
            ),
        ),
    ]
