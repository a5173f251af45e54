"""The rows of the measurement of lists: a million invoices and all that comes with them, written by SQL.

Owns what a busy installation's tables look like. Rows are copies of those of a small company, or are made up where it
has none; triggers and foreign keys sleep meanwhile. What they say is plausible to a list, not to the books check.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from django.db import connection

from benchmarks import preloading, reports
from benchmarks.reports import FAR, NOW, copy, read, read_nothing
from billing.models import Subscription
from billing.services import rehearsal_computing, rehearsals, usage_counts
from config.kernel import actors
from config.platform.services import installation
from tests.factories import quotes as offers

LARGEST = FAR + 1
"""The customer of whom there is most: every fiftieth invoice and payment."""

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
    installation.ensure(at=NOW)
    offer()
    rehearse()
    reports.fill(subscriptions, invoices)
    around(customers=subscriptions // 2, invoices=invoices)
    agreements(customers=subscriptions // 2)
    read_nothing("VACUUM ANALYZE")
    usage(subscriptions=subscriptions, events=events)
    usage_counts.run(as_of=NOW)


def offer() -> None:
    """Make a quote that waits for the customer's answer, to copy it."""
    sold = Subscription.objects.select_related("customer", "plan_version__plan").order_by("pk")[0]
    terms = offers.terms(sold.plan_version.plan.code)
    offers.offered(sold.customer, terms, by=offers.person("seller"), at="2026-05-18", valid_until=date(2026, 6, 20))


def rehearse() -> None:
    """Rehearse the next month of the small company, to copy what it has."""
    as_of = datetime(2026, 6, 1, 12, tzinfo=UTC)
    row = rehearsals.request(as_of=as_of, actor=actors.SYSTEM, at=NOW)
    rehearsal_computing.compute(rehearsal_id=row.pk, at=NOW)


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
        ("id % 50 = 0", f"customer_id = {LARGEST}"),
    ):
        read_nothing(f"UPDATE invoicing_invoice SET {values} WHERE id > {FAR} AND {which}")
    copy(
        "invoicing_payment",
        first["invoicing_payment"],
        invoices,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "customer_id": f"CASE WHEN n % 50 = 0 THEN {LARGEST} ELSE {FAR} + 1 + n % {customers} END",
            "amount": "40 + n % 499",
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
            "amount": "40 + n % 499",
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
    asked = {"amount": "100 + n % 100", "email": "'a@example.com'", "payment_status": "'pending'"}
    make("invoicing_paymentrequest", customers, of | money | asked)
    make("platform_webhookevent", invoices // 5, {"event_type": "'invoice.created'", "object_key": "'invoice:' || n"})
    endpoint = make("platform_webhookendpoint", 1, {"webhook_url": "'https://example.com/hook'"})
    key = read("SELECT min(id) FROM platform_apikey")[0][0]
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
        MOMENT
        | {"path": "'/api/v1/invoices/' || n", "method": "'POST'", "status": "200", "client": "'client'"}
        | {"api_key_id": f"{key}", "request_id": "'r' || n", "duration_ms": "n % 300"},
    )


def agreements(*, customers: int) -> None:
    """Write contracts, quotes with versions and order forms, what a run said of everybody, and a long rehearsal."""
    of = {name: text.format(customers=customers) for name, text in (OF_CUSTOMER | OF_ENTITY).items()}
    term = {"starts_on": "date '2026-01-01'", "ends_on": "date '2026-12-31' + (n % 300)::int", "term_months": "12"}
    made = {"activated_at": NOTHING["timestamp with time zone"], "renewal": "'none'", "renewal_months": "12"}
    named = {"number": "'CT-' || n", "name": "'Contract ' || n", "state": "'active'"}
    make("billing_contract", customers, of | term | made | named)
    copied = {"id": f"{FAR} + n", "uuid": "gen_random_uuid()", "created_at": NOTHING["timestamp with time zone"]}
    mine = {"customer_id": of["customer_id"]}
    for table, values in (
        ("billing_quote", mine | {"number": "'Q-' || n", "name": "'Offer ' || n"}),
        (
            "billing_quoteversion",
            {
                "quote_id": f"{FAR} + n",
                "state": "CASE WHEN n % 3 = 0 THEN 'sent' ELSE 'approved' END",
                "valid_until": "date '2026-05-21' + (n % 60)::int",
            },
        ),
        (
            "billing_orderform",
            mine | {"version_id": f"{FAR} + n", "number": "'OF-' || n", "token_sha256": "''", "sent_at": "NULL"},
        ),
        ("billing_billingrunitem", mine | {"invoice_id": f"{FAR} + n", "error_code": "''"}),
        ("billing_rehearsedinvoice", mine | {"group_sha256": "encode(sha256(n::text::bytea), 'hex')"}),
    ):
        copy(table, read(f"SELECT min(id) FROM {table}")[0][0], customers, copied | values)


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
