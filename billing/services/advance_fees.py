"""Writing the fees of usage that is paid in advance, with where they come from. Owns the choice between an invoice of
an event's own, issued at once, and a line that stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from billing.domain import periods
from billing.domain.contract import ContractFacts
from billing.domain.proration import Share
from billing.domain.rating import RatedItem
from billing.domain.standing import Due
from billing.models import BilledPeriod, RatedCharge
from billing.queries.contracts import Contract
from billing.queries.price_lists import PricedCharge, PriceList
from billing.services import bills, webhook_types
from billing.services.bills import Bill
from config.kernel import dates
from config.kernel.actors import Actor
from config.kernel.dates import Period
from config.platform.services import outbox
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.models import InvoiceLine
from invoicing.services import invoices, standalone_lines
from invoicing.services.standalone_lines import StandaloneSpec

_BATCH = 1000


@dataclass(frozen=True)
class BilledEvent:
    """An item to be billed on its own: of an event, or (without one) of units carried over into a period."""

    contract: Contract
    price_list: PriceList
    charge: PricedCharge
    item: RatedItem
    period: Period
    transaction_id: str | None = None

    @property
    def bill(self) -> Bill:
        """Return the item as a bill of itself."""
        due = Due(
            billing_date=dates.local_date(self.period.start, self.contract.zone),
            due_at=self.period.start,
            fee=self.period,
            charges=self.period,
            share=Share(0, 1),
            bills_fee=False,
        )
        return Bill(self.contract, due, self.price_list, (self.item,))


def facts(contract: Contract, prices: PriceList) -> ContractFacts:
    """Return what a trace tells of a contract."""
    return ContractFacts(
        subscription_id=contract.uuid,
        plan_id=prices.plan_uuid,
        plan_version=prices.number,
        currency=prices.currency,
        timezone=contract.timezone,
    )


def write(*, billed: Sequence[BilledEvent], actor: Actor, at: datetime) -> None:
    """Write fees in their order: invoices of those that are invoiceable, issued at once whatever the grace, and lines
    that stand alone of the others. In a fixed number of statements for each of the two.

    The caller holds the customer's lock. Raises IntegrityError for an event that is billed already, and what drafting
    raises.
    """
    invoiced = [one for one in billed if one.charge.invoiceable]
    alone = [one for one in billed if not one.charge.invoiceable]
    of_invoices = _write_invoices(invoiced, actor, at)
    lines = standalone_lines.create_many(specs=[_alone(one) for one in alone], actor=actor, at=at)
    _write_origins(alone, lines, [None] * len(alone), at)
    outbox.record(webhook_types.FEE_CREATED, [*of_invoices, *lines], at=at)


def _write_invoices(billed: Sequence[BilledEvent], actor: Actor, at: datetime) -> list[InvoiceLine]:
    if not billed:
        return []
    drafted = invoices.draft_many(specs=[_invoice(one, at) for one in billed], actor=actor, at=at)
    covered = BilledPeriod.objects.bulk_create(
        [_period(one, draft.invoice.pk, at) for one, draft in zip(billed, drafted, strict=True)], batch_size=_BATCH
    )
    lines = [draft.lines[0] for draft in drafted]
    _write_origins(billed, lines, covered, at)
    invoices.finalize_many(invoice_ids=[draft.invoice.pk for draft in drafted], actor=actor, at=at)
    return lines


def _write_origins(
    billed: Sequence[BilledEvent],
    lines: Sequence[InvoiceLine],
    covered: Sequence[BilledPeriod | None],
    at: datetime,
) -> None:
    rows = []
    for one, line, period in zip(billed, lines, covered, strict=True):
        row = next(bills.rated_charges(bill=one.bill))
        row.line, row.period, row.created_at = line, period, at
        row.event_transaction_id = one.transaction_id
        rows.append(row)
    RatedCharge.objects.bulk_create(rows, batch_size=_BATCH)


def _line(one: BilledEvent) -> LineSpec:
    return replace(next(bills.lines(bill=one.bill)), event_transaction_id=one.transaction_id)


def _alone(one: BilledEvent) -> StandaloneSpec:
    return StandaloneSpec(
        customer_id=one.contract.customer_id,
        billing_entity_id=one.contract.billing_entity_id,
        currency=one.price_list.currency,
        line=_line(one),
    )


def _invoice(one: BilledEvent, at: datetime) -> InvoiceSpec:
    return InvoiceSpec(
        customer_id=one.contract.customer_id,
        billing_entity_id=one.contract.billing_entity_id,
        currency=one.price_list.currency,
        timezone=one.contract.timezone,
        purchase_order_number=one.contract.purchase_order_number,
        billed_at=at,
        lines=(_line(one),),
    )


def _period(one: BilledEvent, invoice_id: int, at: datetime) -> BilledPeriod:
    where = one.contract.standing
    natural = periods.period_at(where.schedule, one.period.start)
    return BilledPeriod(
        created_at=at,
        subscription_id=one.contract.subscription_id,
        invoice_id=invoice_id,
        reason=BilledPeriod.Reason.IN_ADVANCE_CHARGE,
        timezone=one.contract.timezone,
        billing_date=dates.local_date(at, one.contract.zone),
        from_at=min(max(natural.period.start, where.started_at), one.period.start),
        to_at=natural.period.end,
        charges_from_at=one.period.start,
        charges_to_at=one.period.end,
        days=0,
        of_days=natural.days,
        bills_fee=False,
        plan_version_id=one.contract.plan_version_id,
        late_checked=True,
    )
