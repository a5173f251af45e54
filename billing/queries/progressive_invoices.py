"""What was billed progressively of periods that are billed now. Owns reading it, for many subscriptions at once: never
writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q, Sum
from moneyed import Money

from billing.models import BilledPeriod, RatedCharge
from config.kernel import money
from config.kernel.dates import Period
from invoicing.domain import states
from invoicing.models import CreditNote, Invoice, ProgressiveCredit

# What waits for its taxes bills what it bills: the invoice of the period must not bill it again.
_COUNTED = (Invoice.Status.FINALIZED, Invoice.Status.CLOSED, Invoice.Status.PENDING, Invoice.Status.FAILED)


@dataclass(frozen=True, slots=True)
class ProgressiveInvoice:
    """An invoice that billed the usage of a period so far.

    ``left`` is what it billed itself, net, without what was given back of it or was taken off later invoices. ``items``
    are the amounts of its lines by the keys of their items, ``charges`` the keys of the charges in them.
    """

    invoice_id: int
    period: Period
    left: Money
    items: dict[int, Money]
    charges: tuple[str, ...]


def of_subscriptions(
    *, subscription_ids: Collection[int], without: Iterable[int] = ()
) -> dict[int, list[ProgressiveInvoice]]:
    """Return the progressive invoices of subscriptions that stand, oldest first, in a fixed number of queries.

    What invoices ``without`` take off, drafts that are computed anew, is not counted as taken. Costs one query where
    there are none.
    """
    periods = list(
        BilledPeriod.objects.filter(
            subscription__in=subscription_ids,
            reason=BilledPeriod.Reason.PROGRESSIVE,
            released_at__isnull=True,
            invoice__status__in=_COUNTED,
        )
        .select_related("invoice")
        .order_by("pk")
    )
    if not periods:
        return {}
    invoices = {period.invoice_id: period.invoice for period in periods}
    given_back = _given_back(invoices)
    taken = _taken(invoices, set(without))
    items: dict[int, dict[int, Money]] = defaultdict(dict)
    charges: dict[int, dict[str, None]] = defaultdict(dict)
    rated = RatedCharge.objects.filter(period__in=periods).select_related("line", "charge").defer("trace")
    for row in rated.order_by("line__position"):
        items[row.line.invoice_id][row.item_key] = row.line.amount
        charges[row.line.invoice_id][str(row.charge.key)] = None
    found: dict[int, list[ProgressiveInvoice]] = defaultdict(list)
    for period in periods:
        invoice = period.invoice
        left = invoice.net_amount - given_back.get(invoice.pk, invoice.net_amount * 0)
        found[period.subscription_id].append(
            ProgressiveInvoice(
                invoice_id=invoice.pk,
                period=Period(period.charges_from_at, period.charges_to_at),
                left=left - taken.get(invoice.pk, left * 0),
                items=items[invoice.pk],
                charges=tuple(charges[invoice.pk]),
            )
        )
    return found


def _given_back(invoices: dict[int, Invoice]) -> dict[int, Money]:
    notes = CreditNote.objects.filter(invoice__in=invoices, status=CreditNote.Status.FINALIZED)
    notes = notes.exclude(credit_status=CreditNote.CreditStatus.VOIDED).order_by()
    sums = notes.values("invoice_id").annotate(net=Sum("sub_total_amount"))
    return {row["invoice_id"]: Money(row["net"], invoices[row["invoice_id"]].currency) for row in sums}


def _taken(invoices: dict[int, Invoice], without: set[int]) -> dict[int, Money]:
    """Return what invoices of whole periods took off. What the next progressive one takes off it bills no more."""
    rows = (
        ProgressiveCredit.objects.filter(source__in=invoices)
        .exclude(
            Q(invoice__kind=Invoice.Kind.PROGRESSIVE_BILLING)
            | Q(invoice__status=Invoice.Status.VOIDED)
            | Q(invoice__in=without)
        )
        .select_related("invoice")
    )
    found: dict[int, Money] = {}
    for row in rows:
        # What a draft will give back is given back when it is issued.
        amount = row.amount + row.excess_amount if row.invoice.status in states.UNISSUED else row.amount
        found[row.source_id] = found.get(row.source_id, money.zero(row.currency)) + amount
    return found
