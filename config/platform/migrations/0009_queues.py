"""Owners of work queues, what was ticked off of the first steps, and indexes for queues and the search.

The indexes are of tables of the apps above. Queues read what waits, oldest first, from partial ones; the search finds
by the beginning of a text (in capitals), by the end of a number (the number backwards), by equal amounts, and by the
beginnings of words in names. None needs an extension.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

STARTS = (
    ("customers_customer", "name"),
    ("customers_customer", "legal_name"),
    ("customers_customer", "external_id"),
    ("customers_customer", "email"),
    ("customers_customer", "tax_identification_number"),
    ("invoicing_invoice", "number"),
    ("invoicing_invoice", "purchase_order_number"),
    ("invoicing_creditnote", "number"),
    ("invoicing_payment", "reference"),
    ("billing_subscription", "external_id"),
    ("billing_subscription", "name"),
    ("billing_contract", "number"),
    ("billing_contract", "name"),
    ("billing_quote", "number"),
    ("billing_quote", "name"),
)

ENDS = (("invoicing_invoice", "number"), ("invoicing_creditnote", "number"), ("invoicing_payment", "reference"))
AMOUNTS = (("invoicing_invoice", "total_amount"), ("invoicing_payment", "amount"))
WORDS = (("customers_customer", ("name", "legal_name", "firstname", "lastname")),)

WAITING = (
    ("invoicing_invoice", "created_at", "status = 'draft'", "drafts"),
    ("invoicing_invoice", "created_at", "status IN ('pending', 'failed')", "untaxed"),
    ("invoicing_invoice", "finalized_at", "status = 'finalized' AND payment_status = 'failed'", "unpaid"),
    ("invoicing_creditnote", "finalized_at", "refund_status IN ('pending', 'failed')", "refunds"),
    ("invoicing_delivery", "created_at", "state = 'failed'", "failed"),
    ("invoicing_invoicedispute", "opened_at", "status = 'open'", "open"),
    ("billing_order", "created_at", "state = 'failed'", "failed"),
)
"""Table, the instant since which a row waits, which rows do, and what they are called."""


def _statements() -> list[tuple[str, str]]:
    found = []
    for table, column in STARTS:
        found.append((f"{table}_{column}_starts", f"ON {table} (upper({column}) text_pattern_ops)"))
    for table, column in ENDS:
        found.append((f"{table}_{column}_ends", f"ON {table} (reverse(upper({column})) text_pattern_ops)"))
    for table, column in AMOUNTS:
        found.append((f"{table}_{column}_equal", f"ON {table} ({column}, id DESC)"))
    for table, columns in WORDS:
        text = " || ' ' || ".join(columns)
        found.append((f"{table}_words", f"ON {table} USING gin (to_tsvector('simple'::regconfig, {text}))"))
    for table, instant, which, name in WAITING:
        found.append((f"{table}_waiting_{name}", f"ON {table} ({instant}) WHERE {which}"))
    return [(f"CREATE INDEX {name} {rest}", f"DROP INDEX {name}") for name, rest in found]


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0008_history"),
        ("customers", "0005_portal"),
        ("invoicing", "0023_receipts"),
        ("billing", "0032_quotes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FirstStep",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "code",
                    models.CharField(
                        choices=[("hidden", "put away"), ("mail", "test mail sent"), ("backup", "backups set up")],
                        max_length=16,
                        unique=True,
                    ),
                ),
                ("by", models.CharField(max_length=255)),
                ("at", models.DateTimeField()),
            ],
            options={"verbose_name": "first step", "ordering": ["code"]},
        ),
        migrations.CreateModel(
            name="QueueOwner",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("code", models.CharField(max_length=64, unique=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
            ],
            options={
                "verbose_name": "owner of a work queue",
                "verbose_name_plural": "owners of work queues",
                "ordering": ["code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("person__isnull", True), ("role__isnull", False)),
                            models.Q(("person__isnull", False), ("role__isnull", True)),
                            _connector="OR",
                        ),
                        name="platform_queue_owner_one",
                    )
                ],
            },
        ),
        *(migrations.RunSQL(forward, backward) for forward, backward in _statements()),
    ]
