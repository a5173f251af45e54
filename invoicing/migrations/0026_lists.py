"""Indexes of long lists: one for each way in which a list is narrowed or sorted, ending in the order of the list.

A column's own index finds rows, but then all that are found have to be sorted. These are read in the order of the list
from either end, so that the first page is there whatever the list is narrowed to.
"""

from django.db import migrations

INDEXES = (
    ("invoicing_invoice_list_status", "invoicing_invoice (status, issuing_date, created_at, id)"),
    ("invoicing_invoice_list_payment", "invoicing_invoice (payment_status, issuing_date, created_at, id)"),
    ("invoicing_invoice_list_entity", "invoicing_invoice (billing_entity_id, issuing_date, created_at, id)"),
    ("invoicing_invoice_list_currency", "invoicing_invoice (currency, issuing_date, created_at, id)"),
    ("invoicing_invoice_list_due", "invoicing_invoice (payment_due_date, issuing_date, created_at, id)"),
    ("invoicing_invoice_list_number", "invoicing_invoice (number)"),
    ("invoicing_payment_list_customer", "invoicing_payment (customer_id, created_at, id)"),
    ("invoicing_payment_list_currency", "invoicing_payment (currency, created_at, id)"),
    ("invoicing_payment_list_kind", "invoicing_payment (kind, created_at, id)"),
    ("invoicing_payment_list_paid", "invoicing_payment (paid_at, created_at, id)"),
    ("invoicing_payment_list_reference", "invoicing_payment (reference)"),
    ("invoicing_creditnote_list_customer", "invoicing_creditnote (customer_id, created_at, id)"),
    ("invoicing_entry_list_fact", "invoicing_ledgerentry (fact, id)"),
    ("invoicing_entry_list_day", "invoicing_ledgerentry (accounting_date, id)"),
    ("invoicing_entry_list_customer", "invoicing_ledgerentry (customer_id, id)"),
    ("invoicing_entry_ends", "invoicing_ledgerentry (reverse(upper(description)) text_pattern_ops)"),
    ("invoicing_delivery_list_state", "invoicing_delivery (state, id)"),
    ("invoicing_delivery_list_made", "invoicing_delivery (created_at, id)"),
    ("invoicing_delivery_list_attempts", "invoicing_delivery (attempts, id)"),
    ("invoicing_line_list_alone", "invoicing_invoiceline (created_at, id) WHERE payment_status <> ''"),
)
"""Name, and what it is on."""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0025_opening_balances")]

    operations = [migrations.RunSQL(f"CREATE INDEX {name} ON {rest}", f"DROP INDEX {name}") for name, rest in INDEXES]
