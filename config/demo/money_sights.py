"""What is worth a look of the sample's quotes, month end, money and integrations: title, page of the admin and guide of
each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from billing.models import ParkedAccount, Quote, QuoteVersion, Rehearsal
from config.demo import integrations, mended, offers
from config.demo.buyers import Buyer
from config.platform.models import ApiKey, ApprovalRequest, WebhookEndpoint
from invoicing.models import BooksCheck, Invoice, PaymentRequest, Wallet

_LISTS = (
    ("How recurring revenue moved, month by month", "reports:recurring-revenue", "reports"),
    ("Debits and credits of every account", "admin:invoicing_ledgerentry_trial_balance", "ledger"),
    ("Who owes what, and for how long", "admin:invoicing_ledgerentry_ageing", "ledger"),
)


def pages(people: Sequence[Buyer]) -> list[tuple[str, str, str]]:
    """Return title, path and guide of every page that there is."""
    invoices = Invoice.objects.order_by("pk")
    versions = QuoteVersion.State
    rows: list[tuple[str, QuerySet[Any], str]] = [
        ("A quote that two groups have to approve", _quotes(versions.IN_APPROVAL), "quotes"),
        ("A quote that the customer has", _quotes(versions.SENT), "quotes"),
        ("A quote that was signed, with what it made", _quotes(versions.ACCEPTED), "quotes"),
        ("The next month end, rehearsed and to be signed off", Rehearsal.objects.order_by("pk"), "month-end"),
        ("An account that is parked", ParkedAccount.objects.order_by("pk"), "month-end"),
        ("A write-off that waits for a second person", ApprovalRequest.objects.order_by("pk"), "approvals"),
        (
            "A coupon, recurring, on the first invoice that took it",
            _of(invoices, people, offers.PARTNER_RANK),
            "coupons",
        ),
        ("A wallet, credits bought and given", _wallets(people, mended.BUYS_RANK), "wallets"),
        ("An invoice that a wallet paid a part of", _of(invoices, people, offers.WALLET_RANK), "wallets"),
        ("A one-off invoice", invoices.filter(kind=Invoice.Kind.ONE_OFF), "invoices"),
        (
            "An invoice made anew after it was voided",
            invoices.filter(regenerated_from__isnull=False),
            "voids-and-disputes",
        ),
        ("An invoice of which a line is disputed", invoices.filter(disputed_amount__gt=0), "voids-and-disputes"),
        ("What the check of the books looked at", BooksCheck.objects.order_by("-pk"), "books-check"),
        ("A payment that was asked for", PaymentRequest.objects.order_by("pk"), "payments"),
        ("A server that is told of what happens", _endpoints(integrations.TAKES), "webhooks"),
        ("A server that does not answer, and what waits for it", _endpoints(integrations.GONE), "webhooks"),
        ("An API key for reading, its secret being changed", ApiKey.objects.filter(previous_digest__gt=""), "api-keys"),
    ]
    found = []
    for title, objects, guide in rows:
        row = objects.first()
        if row is not None:
            name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
            found.append((title, reverse(name, args=[row.pk]), guide))
    return [*found, *((title, reverse(name), guide) for title, name, guide in _LISTS)]


def _of(invoices: QuerySet[Invoice], people: Sequence[Buyer], rank: int) -> QuerySet[Invoice]:
    return invoices.filter(customer__external_id=people[rank].external_id)


def _quotes(state: str) -> QuerySet[Quote]:
    return Quote.objects.filter(versions__state=state).order_by("pk")


def _wallets(people: Sequence[Buyer], rank: int) -> QuerySet[Wallet]:
    return Wallet.objects.filter(customer__external_id=people[rank].external_id).order_by("pk")


def _endpoints(name: str) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(name=name, deleted_at__isnull=True)
