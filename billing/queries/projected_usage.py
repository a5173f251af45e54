"""The projected usage of a running period. Owns putting the projection beside what is there; the rule is
`billing.domain.projected_usage`'s, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from billing.domain import projected_usage
from billing.domain.projected_usage import Elapsed
from billing.domain.rating import RatedItem
from billing.queries import current_usage, running_usage
from billing.queries.current_usage import CurrentUsage
from billing.queries.price_lists import PricedCharge
from billing.queries.running_usage import EVERYTHING, Wanted
from billing.queries.usage_parts import Projection
from catalog.domain import decimals
from config.kernel import dates
from config.kernel.dates import Period


def read(
    *,
    external_customer_id: str,
    external_subscription_id: str,
    at: datetime,
    apply_taxes: bool = True,
    wanted: Wanted = EVERYTHING,
) -> CurrentUsage:
    """Return the usage of the period that runs at ``at`` with what each part of it is projected to.

    Projected amounts are net and rounded once per charge, filter and group. Raises what `running_usage.read` raises.
    """
    running = running_usage.read(
        external_customer_id=external_customer_id,
        external_subscription_id=external_subscription_id,
        at=at,
        wanted=wanted,
    )
    elapsed = projected_usage.elapsed(
        period=Period(running.stretch.start, running.stretch.end),
        at=at,
        timezone=dates.zone(running.subscription.customer.applicable_timezone),
    )

    def project(charge: PricedCharge, item: RatedItem) -> Projection:
        return _projection(charge, item, elapsed)

    return current_usage.shown(running, wanted=wanted, apply_taxes=apply_taxes, project=project)


def _projection(charge: PricedCharge, item: RatedItem, elapsed: Elapsed) -> Projection:
    if charge.metric.is_recurring or charge.counts_time:
        return Projection(item.units, item.amount, tuple(item.breakdowns))
    raw = charge.properties
    if item.filter_id is not None:
        raw = next(one.properties for one in charge.filters if one.id == item.filter_id)
    units = projected_usage.units(current=item.units, elapsed=elapsed)
    # Fewer than no units are shown as none, but are priced as what they are: no flat amount of a first range is due.
    counted = Decimal(item.trace["inputs"]["usage"]["units"])
    currency = item.amount.currency.code
    amount = projected_usage.amount(
        model=charge.model,
        raw=raw,
        projected_units=units if counted >= 0 else counted,
        current=item.precise_amount if item.pricing_unit is None else Decimal(item.pricing_unit["precise_amount"]),
        elapsed=elapsed,
        pricing_unit=charge.pricing_unit,
        currency=currency,
        # Units that were taken back since leave fewer to project, and no refund.
        billed=item.amount.amount if charge.pay_in_advance else None,
    )
    return Projection(units, Money(amount, currency), tuple(_row(row, elapsed) for row in item.breakdowns))


def _row(row: Mapping[str, Any], elapsed: Elapsed) -> dict[str, Any]:
    return {**row, "units": decimals.text(projected_usage.units(current=Decimal(row["units"]), elapsed=elapsed))}
