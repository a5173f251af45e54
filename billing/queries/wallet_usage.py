"""What is open of a customer that its wallets will have to pay: usage that is not billed yet, and drafts. Owns reading
it, by seller and currency; sharing it out is `domain.ongoing_balances`'. Never writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from moneyed import Money

from billing.domain.ongoing_balances import Key
from billing.models import Subscription
from billing.queries import current_usage, progressive_invoices, running_usage
from billing.queries.progressive_invoices import ProgressiveInvoice
from config.kernel import money
from invoicing.models import Invoice, InvoiceLine

Place = tuple[int, str]
"""Key of the seller, and currency."""

Nets = Mapping[Place, Mapping[Key, Money]]

_DRAFTS = (Invoice.Status.DRAFT, Invoice.Status.PENDING, Invoice.Status.FAILED)
_PAYABLE = (Invoice.Kind.SUBSCRIPTION, Invoice.Kind.PROGRESSIVE_BILLING)
_USAGE = str(InvoiceLine.Kind.CHARGE)


def nets(*, customer_id: int, at: datetime) -> Nets:
    """Return what is open at ``at``, that instant included, with tax, by kind and metric.

    It is the usage of running periods in arrears and what is on drafts, less what progressive invoices of these periods
    billed; usage in advance is billed already. A net may be negative. Raises what rating raises.
    """
    found: dict[Place, dict[Key, Money]] = defaultdict(dict)
    rows = Subscription.objects.filter(
        customer=customer_id, customer__deleted_at__isnull=True, status=Subscription.Status.ACTIVE, started_at__lte=at
    )
    subscriptions = list(rows.select_related("plan_version", "customer").order_by("pk"))
    billed = progressive_invoices.of_subscriptions(subscription_ids=[one.pk for one in subscriptions])
    for subscription in subscriptions:
        _add_usage(found, subscription, billed.get(subscription.pk, []), at)
    _add_drafts(found, customer_id)
    return found


def _add_usage(
    found: dict[Place, dict[Key, Money]], subscription: Subscription, billed: list[ProgressiveInvoice], at: datetime
) -> None:
    customer = subscription.customer
    try:
        running = running_usage.read(
            external_customer_id=customer.external_id, external_subscription_id=subscription.external_id, at=at
        )
    except running_usage.NoActiveSubscription:  # a time of which no usage is billed
        return
    usage = current_usage.shown(running)
    place = subscription.seller_id, usage.currency
    for one in usage.charges:
        if not one.charge.pay_in_advance:
            for bucket in one.buckets:
                _add(found, place, one.metric.code, bucket.amount + bucket.tax)
    for invoice in billed:
        if invoice.period.start == running.stretch.start and invoice.left.amount > 0:
            _take_billed(found, place, invoice)


def _take_billed(found: dict[Place, dict[Key, Money]], place: Place, invoice: ProgressiveInvoice) -> None:
    """Take off what a progressive invoice billed, as the invoice of the period will: with the taxes of its lines."""
    lines = [
        line
        for line in InvoiceLine.objects.filter(invoice=invoice.invoice_id).order_by("position")
        if line.net_amount.amount > 0
    ]
    if not lines:
        return
    parts = money.allocate(invoice.left, [line.net_amount.amount for line in lines])
    for line, part in zip(lines, parts, strict=True):
        tax = money.rounded(part * line.taxes_rate)
        _add(found, place, line.item_code, -(part + tax))


def _add_drafts(found: dict[Place, dict[Key, Money]], customer_id: int) -> None:
    lines = InvoiceLine.objects.filter(
        invoice__customer=customer_id, invoice__status__in=_DRAFTS, invoice__kind__in=_PAYABLE
    )
    for line in lines.select_related("invoice").order_by("pk"):
        invoice = line.invoice
        if invoice is not None:
            amount = money.rounded(line.lowered_amount) + line.taxes_amount
            metric = line.item_code if line.kind == _USAGE else ""
            _add(found, (invoice.billing_entity_id, invoice.currency), metric, amount, kind=str(line.kind))


def _add(found: dict[Place, dict[Key, Money]], place: Place, metric: str, amount: Money, *, kind: str = _USAGE) -> None:
    key = (kind, metric, "")
    nets_of = found[place]
    nets_of[key] = nets_of.get(key, money.zero(place[1])) + amount
