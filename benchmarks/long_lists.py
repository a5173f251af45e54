"""The rows of the measurement of lists: a million invoices and all that comes with them, written by SQL.

Owns what a busy installation's tables look like. Rows are copies of those of a small company, or are made up where it
has none; triggers and foreign keys sleep meanwhile. What they say is plausible to a list, not to the books check.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from benchmarks import preloading, reports
from benchmarks.reports import FAR, copy, read, read_nothing

EVENTS = """
SELECT gen_random_uuid(), 's' || (1 + n % {subscriptions}), 'big-' || n, 'requests',
    '2026-05-01 00:00+00'::timestamptz + (n * 104729 % 1680000) * interval '1 second',
    '2026-05-01 00:00+00'::timestamptz + (n * 104729 % 1680000) * interval '1 second',
    n * 1000003, hashtextextended('bytes', 0), n % 65536, jsonb_build_object('bytes', n % 65536, 'path', '/' || n % 977)
FROM generate_series({{first}}::bigint, {{last}}) AS n"""

NOTHING = {
    "uuid": "gen_random_uuid()",
    "boolean": "false",
    "jsonb": "'{}'::jsonb",
    "date": "date '2026-05-20' - (n % 700)::int",
    "timestamp with time zone": "timestamptz '2026-05-20 10:00+00' - n * interval '30 seconds'",
    "character varying": "''",
    "text": "''",
}
"""What a column of a type says that nothing else is said about; numbers are zero."""

OF_CUSTOMER = {"customer_id": f"{FAR} + 1 + n % {{customers}}"}
OF_ENTITY = {"billing_entity_id": "(SELECT min(id) FROM customers_billingentity)"}
MOMENT = {"at": NOTHING["timestamp with time zone"], "created_at": NOTHING["timestamp with time zone"]}


def seed(*, subscriptions: int, invoices: int, events: int) -> None:
    """Write all of it: invoices in the ledger with their lines, then what else long lists show, then events."""
    reports.fill(subscriptions, invoices)
    around(customers=subscriptions // 2, invoices=invoices)
    usage(subscriptions=subscriptions, events=events)


def around(*, customers: int, invoices: int) -> None:
    """Write states of invoices, payments, credit notes, mails, agreements, and what the platform notes down."""
    read_nothing("SET session_replication_role = replica")
    first = {table: read(f"SELECT min(id) FROM {table}")[0][0] for table in ("invoicing_payment", "invoicing_delivery")}
    spread = f"timestamptz '2026-05-20 10:00+00' - n * interval '{63_000_000 // invoices} seconds'"
    open_again = "paid_amount = 0, payment_overdue = (id % 15 = 0)"
    for which, values in (
        ("id % 15 = 0", f"payment_status = 'failed', {open_again}"),
        ("id % 16 = 0", f"payment_status = 'pending', {open_again}"),
        ("id % 200 = 0", "status = 'draft', number = NULL, finalized_at = NULL"),
        ("id % 333 = 0 AND status = 'finalized'", "status = 'voided', voided_at = finalized_at"),
    ):
        read_nothing(f"UPDATE invoicing_invoice SET {values} WHERE id > {FAR} AND {which}")
    copy(
        "invoicing_payment",
        first["invoicing_payment"],
        invoices,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "customer_id": f"{FAR} + 1 + n % {customers}",
            "amount": "40 + n % 500",
            "reference": "'BANK-' || n",
            "idempotency_key": "NULL",
            "paid_at": spread,
            "created_at": spread,
        },
    )
    copy(
        "invoicing_paymentallocation",
        read("SELECT min(id) FROM invoicing_paymentallocation")[0][0],
        invoices,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "payment_id": f"{FAR} + n",
            "invoice_id": f"{FAR} + n",
            "amount": "40 + n % 500",
        },
    )
    copy(
        "invoicing_invoicetax",
        read("SELECT min(id) FROM invoicing_invoicetax")[0][0],
        invoices,
        {"id": f"{FAR} + n", "uuid": "gen_random_uuid()", "invoice_id": f"{FAR} + n"},
    )
    copy(
        "invoicing_delivery",
        first["invoicing_delivery"],
        invoices // 2,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "invoice_id": f"{FAR} + n",
            "number": "1",
            "created_at": spread,
            "state": "CASE WHEN n % 500 = 0 THEN 'failed' ELSE 'sent' END",
            "sent_at": f"CASE WHEN n % 500 = 0 THEN NULL ELSE {spread} END",
        },
    )
    entry = read("SELECT id FROM platform_auditentry WHERE object_type = 'invoicing.invoice' LIMIT 1")[0][0]
    copy(
        "platform_auditentry",
        entry,
        invoices // 2,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "object_id": f"{FAR} + n",
            "object_label": "'BIG-' || n",
            "at": spread,
            "created_at": spread,
        },
    )
    money = {"currency": "'EUR'"}
    of = {name: text.format(customers=customers) for name, text in (OF_CUSTOMER | OF_ENTITY).items()}
    make(
        "invoicing_creditnote",
        invoices // 10,
        of
        | money
        | {
            "invoice_id": f"{FAR} + n",
            "number": "'CN-' || n",
            "sequential_id": "1",
            "status": "'finalized'",
            "credit_status": "'available'",
            "reason": "'other'",
            "total_amount": "10 + n % 50",
            "sub_total_amount": "10 + n % 50",
            "finalized_at": NOTHING["timestamp with time zone"],
            "credit_amount": "10 + n % 50",
            "balance_amount": "10 + n % 50",
            "fees_amount": "10 + n % 50",
        },
    )
    wallet = {"status": "'active'", "name": "'Wallet ' || n", "code": "'w' || n", "rate_amount": "1", "priority": "1"}
    make("invoicing_wallet", customers, of | money | wallet)
    term = {"starts_on": "date '2026-01-01'", "ends_on": "date '2026-12-31' + (n % 300)::int", "term_months": "12"}
    made = {"activated_at": NOTHING["timestamp with time zone"], "renewal": "'none'", "renewal_months": "12"}
    named = {"number": "'CT-' || n", "name": "'Contract ' || n", "state": "'active'"}
    make("billing_contract", customers, of | term | made | named)
    make("billing_quote", customers, of | {"number": "'Q-' || n", "name": "'Offer ' || n", "kind": "'new'"})
    asked = {"amount": "100 + n % 100", "email": "'a@example.com'", "payment_status": "'pending'"}
    make("invoicing_paymentrequest", customers, of | money | asked)
    make("platform_webhookevent", invoices // 5, {"event_type": "'invoice.created'", "object_key": "'invoice:' || n"})
    endpoint = make("platform_webhookendpoint", 1, {"webhook_url": "'https://example.com/hook'"})
    make(
        "platform_webhookdelivery",
        invoices // 5,
        {"event_id": f"{FAR} + n", "endpoint_id": f"{endpoint}", "object_key": "'invoice:' || n"}
        | {
            "state": "CASE WHEN n % 500 = 0 THEN 'failed' ELSE 'delivered' END",
            "delivered_at": f"CASE WHEN n % 500 = 0 THEN NULL ELSE {NOTHING['timestamp with time zone']} END",
        },
    )
    make(
        "platform_requestlog",
        invoices // 5,
        MOMENT | {"path": "'/api/v1/invoices/' || n", "method": "'GET'", "status": "200", "client": "'client'"},
    )
    read_nothing("VACUUM ANALYZE")


def usage(*, subscriptions: int, events: int) -> None:
    """Write events of May, where the small company's own of that month make room."""
    read_nothing("DROP TABLE IF EXISTS billing_usage_event_202605")
    preloading.fill(EVENTS.format(subscriptions=subscriptions), events)


def make(table: str, count: int, said: Mapping[str, str]) -> int:
    """Write rows of which only ``said`` is known; all else is as good as empty. Returns the key of the first."""
    columns = read(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
        f"WHERE table_schema = 'public' AND table_name = '{table}' AND is_generated = 'NEVER'"
    )
    values = {
        str(name): said.get(str(name), f"{FAR} + n" if name == "id" else NOTHING.get(str(kind), "0"))
        for name, kind, nullable in columns
        if nullable == "NO" or name in said
    }
    names = ", ".join(f'"{name}"' for name in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())} FROM generate_series(1, {count}) AS n"
        )
    return FAR + 1
