"""The addresses of the API's lists that are measured: first, second and far pages, full pages, and each filter.

Owns what a client may ask for of the rows that `long_lists` writes; how long it takes is `lists`' to say.
"""

from __future__ import annotations

from collections.abc import Iterator

FAR = {
    "invoices": 50_000, "payments": 50_000, "fees": 100_000, "events": 5_000, "credit_notes": 4_900,
    "customers": 900, "subscriptions": 1_900, "wallets": 900, "contracts": 900, "payment_requests": 900,
    "activity_logs": 20_000, "api_logs": 9_000, "webhook_events": 9_000, "ledger/entries": 50_000, "quotes": 900,
}  # fmt: skip
"""Lists by the last page of twenty rows or so that they have; besides it 5000 is asked for where there is one."""

SHORT = (
    "plans", "billable_metrics", "add_ons", "coupons", "taxes", "applied_coupons", "payment_receipts", "security_logs",
    "webhook_endpoints", "parked_accounts", "orders", "order_forms", "late_usage", "write_offs", "ledger/accounts",
    "customers/c4711/invoices", "customers/c4711/payments", "customers/c4711/subscriptions",
    "customers/c4711/credit_notes", "customers/c4711/past_usage?external_subscription_id=s4711",
)  # fmt: skip

FILTERS = {
    "invoices": (
        "status=finalized", "status=draft", "payment_status=succeeded", "payment_status=failed", "currency=EUR",
        "currency=USD", "external_customer_id=c4711", "invoice_type=subscription", "invoice_type=credit",
        "issuing_date_from=2026-03-01&issuing_date_to=2026-03-31", "issuing_date_to=2024-06-01",
        "amount_from=10000&amount_to=10100", "amount_from=50000", "payment_overdue=true", "partially_paid=true",
        "payment_dispute_lost=true", "settlements=payment", "settlements=credit_note", "purchase_order_number=PO-1",
        "search_term=BIG-77", "search_term=Customer+1234", "search_term=nobody", "metadata[key]=x", "metadata[key]=",
        "billing_entity_codes=de", "payment_status=failed&page=300",
    ),
    "customers": (
        "search_term=Customer+1234", "search_term=nobody", "currencies=EUR", "countries=FR", "external_id=c4711",
        "has_tax_identification_number=true", "metadata[a]=b", "metadata[a]=",
    ),
    "subscriptions": (
        "external_customer_id=c2356", "external_id=s4711", "plan_code=nothing", "status=terminated", "currency=EUR",
        "overridden=true", "billing_entity_codes=nothing",
    ),
    "payments": ("external_customer_id=c4711",),
    "credit_notes": (
        "external_customer_id=c4711", "currency=EUR", "reason=other", "reason=duplicated_charge",
        "credit_status=available", "refund_status=failed", "invoice_number=BIG-77", "purchase_order_number=PO-1",
        "invoice_type=subscription", "issuing_date_from=2026-05-01", "amount_from=1000&amount_to=1010",
        "search_term=CN-77", "search_term=nobody", "billing_entity_codes=de",
    ),
    "fees": (
        "fee_type=charge", "fee_type=add_on", "payment_status=succeeded", "payment_status=failed",
        "payment_status=refunded", "external_subscription_id=s4711", "external_customer_id=c4711",
        "billable_metric_code=requests", "billable_metric_code=nothing", "currency=EUR", "currency=USD",
        "event_transaction_id=big-77", "created_at_from=2026-05-01", "created_at_to=2025-05-01",
        "succeeded_at_from=2026-05-01", "succeeded_at_to=2025-05-01", "failed_at_from=2026-05-01",
        "refunded_at_from=2026-05-01",
    ),
    "events": (
        "code=requests", "code=nothing", "external_subscription_id=s4711",
        "external_subscription_id=s4711&code=requests", "timestamp_to=2026-05-02T00:00:00Z",
        "timestamp_from=2026-05-10T00:00:00Z&timestamp_to=2026-05-11T00:00:00Z",
        "external_subscription_id=s4711&timestamp_from_started_at=true",
    ),
    "wallets": ("external_customer_id=c4711", "currency=EUR", "status=terminated", "billing_entity_codes=de"),
    "contracts": ("external_customer_id=c4711", "state=active", "ends_by=2026-12-31"),
    "payment_requests": (
        "external_customer_id=c4711", "payment_status=pending", "payment_status=failed", "currency=EUR",
    ),
    "quotes": ("kind=new", "state=draft", "search_term=Q-77", "external_customer_id=c4711"),
    "activity_logs": (
        "activity_types=invoice.finalized", "activity_sources=system", "activity_sources=front",
        "user_emails=nobody@example.com", "external_customer_id=c4711", "external_subscription_id=s4711",
        "resource_types=Invoice", "resource_types=Plan", "from_date=2026-05-01&to_date=2026-05-02",
    ),
    "api_logs": (
        "http_methods=post", "http_statuses=failed", "http_statuses=succeeded", "request_paths=/api/v1/invoices/77",
        "request_paths=/api/v1/inv*", "clients=nobody", "from_date=2026-05-01",
    ),
    "webhook_events": (
        "webhook_type=invoice.created", "webhook_type=nothing", "object_type=invoice", "object_type=nothing",
        "state=failed", "state=pending", "from=2026-05-01T00:00:00Z",
    ),
}  # fmt: skip


def addresses() -> Iterator[str]:
    """Return what is asked for, below ``/api/v1/``."""
    for name, last in FAR.items():
        yield name
        yield f"{name}?page=2"
        yield f"{name}?page={min(last, 5_000)}&per_page=20"
        if last > 5_000:
            yield f"{name}?page={last}&per_page=20"
        yield from (f"{name}?{query}" for query in FILTERS.get(name, ()))
    yield from SHORT
