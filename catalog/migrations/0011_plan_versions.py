"""Versions of plans that are sold from a date on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0010_features")]

    operations = [
        migrations.AddField(
            model_name="planversion",
            name="is_scheduled",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="planversion",
            name="moves_existing",
            field=models.BooleanField(default=True, editable=False),
        ),
        migrations.AddField(
            model_name="planversion",
            name="withdrawn_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_scheduled", True)),
                fields=("plan",),
                name="catalog_plan_version_scheduled",
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_scheduled", False),
                    models.Q(
                        ("base__isnull", True),
                        ("effective_at__isnull", False),
                        ("is_current", False),
                        ("withdrawn_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="catalog_plan_version_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("withdrawn_at__isnull", True), ("is_current", False), _connector="OR"),
                name="catalog_plan_version_withdrawn",
            ),
        ),
    ]
