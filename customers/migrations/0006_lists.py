"""Indexes of long lists: one for each way in which a list is narrowed or sorted, ending in the order of the list.

A column's own index finds rows, but then all that are found have to be sorted. These are read in the order of the list
from either end, so that the first page is there whatever the list is narrowed to.
"""

from django.db import migrations

INDEXES = (
    ("customers_customer_list_name", "customers_customer (name)"),
    ("customers_customer_list_entity", "customers_customer (billing_entity_id, created_at, id)"),
    ("customers_customer_list_country", "customers_customer (country, created_at, id)"),
    ("customers_customer_list_currency", "customers_customer (currency, created_at, id)"),
)
"""Name, and what it is on."""


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_portal")]

    operations = [migrations.RunSQL(f"CREATE INDEX {name} ON {rest}", f"DROP INDEX {name}") for name, rest in INDEXES]
