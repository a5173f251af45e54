"""Indexes of long lists: one for each way in which a list is narrowed or sorted, ending in the order of the list.

A column's own index finds rows, but then all that are found have to be sorted. These are read in the order of the list
from either end, so that the first page is there whatever the list is narrowed to.
"""

from django.db import migrations

INDEXES = (
    ("billing_subscription_list_recent", "billing_subscription (created_at, id)"),
    ("billing_subscription_list_status", "billing_subscription (status, created_at, id)"),
    ("billing_subscription_list_started", "billing_subscription (started_at)"),
    ("billing_contract_list_recent", "billing_contract (created_at, id)"),
    ("billing_contract_list_state", "billing_contract (state, created_at, id)"),
    ("billing_quote_list_recent", "billing_quote (created_at, id)"),
)
"""Name, and what it is on."""


class Migration(migrations.Migration):
    dependencies = [("billing", "0035_reports")]

    operations = [migrations.RunSQL(f"CREATE INDEX {name} ON {rest}", f"DROP INDEX {name}") for name, rest in INDEXES]
