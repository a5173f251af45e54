"""No answer of the API makes more queries the more it tells: all lists and objects that can be read, at two sizes.

Each route is asked with the objects that have the most around them. Then every table grows, and it is asked again.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from config.platform.services import roles
from invoicing.services import documents
from tests.factories import described, everything, fullest, growth, platform
from tests.factories.company import make_company

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 20, 10, 30, tzinfo=UTC)
MOST = 23
"""Queries of an answer. The key, its rights and its count of requests are some of them."""
MORE = {
    "/api/v1/subscriptions/<path:external_id>": (32, "the subscription, its plan with all prices, and its terms"),
    "/api/v1/plans/<path:code>/versions": (30, "versions with all their prices"),
    "/api/v1/plans/<path:code>/versions/<int:number>": (28, "a version with all its prices"),
}
"""Routes that may make more, and why."""
ADDED_UP = "usage is added up once for each way of adding up"
GROWS = {
    "/api/v1/customers/<path:external_id>/current_usage": ADDED_UP,
    "/api/v1/customers/<path:external_id>/projected_usage": ADDED_UP,
    "/api/v1/subscriptions/<path:external_id>/lifetime_usage": ADDED_UP,
}
"""Routes that grow after all, and what ends it."""
PLAYED = "/api/v1/subscriptions/<path:external_id>/upcoming_invoices"
"""Bills are made here and undone: it takes what billing takes."""
SKIPPED = {"/api/v1/files/<str:token>/<str:name>"}
"""What has an address of its own by each link."""
ARGUMENT = re.compile(r"([a-z_]+)/<\w+:(\w+)>")
MODELS = {
    "activity_logs": "platform.auditentry",
    "add_ons": "catalog.addon",
    "alerts": "billing.usagealert",
    "api_logs": "platform.requestlog",
    "approvals": "platform.approvalrequest",
    "billable_metrics": "catalog.billablemetric",
    "billing_entities": "customers.billingentity",
    "books_checks": "invoicing.bookscheck",
    "accounts": "invoicing.ledgeraccount",
    "charges": "catalog.charge",
    "contracts": "billing.contract",
    "corrections": "invoicing.correction",
    "coupons": "catalog.coupon",
    "credit_notes": "invoicing.creditnote",
    "customers": "customers.customer",
    "disputes": "invoicing.invoicedispute",
    "entitlements": "catalog.feature",
    "events": "billing.usageevent",
    "exports": "invoicing.journalexport",
    "features": "catalog.feature",
    "fees": "invoicing.invoiceline",
    "filters": "catalog.chargefilter",
    "fixed_charges": "catalog.fixedcharge",
    "invoice_custom_sections": "customers.invoicecustomsection",
    "invoices": "invoicing.invoice",
    "order_forms": "billing.orderform",
    "orders": "billing.order",
    "parked_accounts": "billing.parkedaccount",
    "payment_receipts": "invoicing.paymentreceipt",
    "payment_requests": "invoicing.paymentrequest",
    "payments": "invoicing.payment",
    "plan_migrations": "billing.planmigration",
    "plans": "catalog.plan",
    "pricing_units": "catalog.pricingunit",
    "quote_versions": "billing.quoteversion",
    "quotes": "billing.quote",
    "rehearsals": "billing.rehearsal",
    "security_logs": "platform.securitylog",
    "subscriptions": "billing.subscription",
    "tax_engines": "invoicing.taxengine",
    "taxes": "catalog.tax",
    "versions": "catalog.planversion",
    "wallet_transactions": "invoicing.wallettransaction",
    "wallets": "invoicing.wallet",
    "webhook_endpoints": "platform.webhookendpoint",
    "webhook_events": "platform.webhookevent",
    "write_offs": "invoicing.writeoff",
}
"""Whose objects stand behind a word of an address."""
FIELDS = {"lago_id": "uuid", "activity_id": "uuid", "log_id": "uuid"}
"""Arguments that are named otherwise than what they are of."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What an address answered, and how many queries it made."""

    path: str
    status: int
    queries: int


def test_no_answer_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many queries for much as for little."""
    monkeypatch.setattr(documents, "content", lambda **_: b"%PDF-")
    monkeypatch.setattr(described, "problems", lambda _response: [])  # what was made up is as no service makes it
    with time_machine.travel(NOW, tick=False):
        roles.ensure()
        everything.make_everything(make_company(at=NOW, months=2, customers_count=5, events_a_day=1))
        connection.check_constraints()  # what is deferred to the end would look at what has grown
        assert fullest.fill(at=NOW) == {}
        client = platform.ApiClient()
        paths = dict(addresses())
        small = {route: asked(client, path) for route, path in paths.items()}
        assert small.pop(PLAYED).status == 200
        growth.grow()
        grown = {route: asked(client, one.path) for route, one in small.items()}
    assert {one.path: one.status for one in (*small.values(), *grown.values()) if one.status >= 500} == {}
    assert {route: one for route, one in grown.items() if one.status != small[route].status} == {}
    more = {route for route, one in grown.items() if one.queries > small[route].queries}
    assert {route: (small[route], grown[route]) for route in more - set(GROWS)} == {}
    above = {route: one for route, one in grown.items() if one.queries > MORE.get(route, (MOST, ""))[0]}
    assert above == {}
    assert set(GROWS) | set(MORE) <= set(grown)
    assert sum(one.status == 200 for one in grown.values()) > 140


def asked(client: Client, path: str) -> Answer:
    """Ask for an address, and read what it streams."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
        if answer.streaming:
            list(answer.streaming_content)  # type: ignore[call-overload]
    return Answer(path, answer.status_code, len(captured))


def addresses() -> Iterator[tuple[str, str]]:
    """All routes that can be read, with the address that is asked."""
    best = fullest.fullest()
    for route, callback in _walk(get_resolver().url_patterns, "/"):
        if route.startswith("/api/v1/") and route not in SKIPPED and hasattr(getattr(callback, "cls", None), "get"):
            path = ARGUMENT.sub(lambda found: f"{found[1]}/{_value(found[1], found[2], best)}", route)
            usage = path.endswith("_usage") and "/customers/" in path
            yield route, f"{path}?external_subscription_id=sub_001" if usage else path


def _value(word: str, name: str, best: fullest.Fullest) -> str:
    model = apps.get_model(MODELS[word])
    keys = best.get(model) or [*model._default_manager.order_by("pk").values_list("pk", flat=True)[:1]]
    field = FIELDS.get(name, name)
    if not hasattr(model, field):
        field = "code" if name.endswith("code") else name
    return str(getattr(model._default_manager.get(pk=keys[0]), field))


def _walk(entries: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, object]]:
    for entry in entries:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        else:
            yield route, entry.callback
