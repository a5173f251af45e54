"""Indexes of long lists: for searches of wallets, and for the ways of narrowing that read whole tables so far."""

from __future__ import annotations

from django.db import migrations

INDEXES = (
    ("invoicing_wallet_name_starts", "invoicing_wallet (upper(name) text_pattern_ops)"),
    ("invoicing_wallet_code_starts", "invoicing_wallet (upper(code) text_pattern_ops)"),
    # What is open, by age and of a customer, is summed from the index alone.
    (
        "invoicing_invoice_open_amounts",
        "invoicing_invoice (payment_due_date, currency) INCLUDE (billing_entity_id, customer_id, total_amount, "
        "paid_amount, offset_amount, written_off_amount, disputed_amount) "
        "WHERE status = 'finalized' AND payment_status <> 'succeeded'",
    ),
    # Few invoices are written off: finding them read all the others.
    (
        "invoicing_invoice_list_written_off",
        "invoicing_invoice (issuing_date, created_at, id) WHERE written_off_amount > 0",
    ),
)
"""Name, and what it is on."""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0026_lists")]

    operations = [migrations.RunSQL(f"CREATE INDEX {name} ON {rest}", f"DROP INDEX {name}") for name, rest in INDEXES]
