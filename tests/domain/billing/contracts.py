"""Contracts for tests of rating: builders with plain defaults, and random ones. Owns nothing that the product does."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from moneyed import Money

from billing.domain import aggregation
from billing.domain.contract import ChargeFacts, ContractFacts, FilterFacts, PlanFeeFacts, UsageFacts
from billing.domain.proration import Share
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.rounding import Rounding, RoundingFunction
from config.kernel.dates import Period
from tests.domain.catalog import prices

JANUARY = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))


def fee(amount: str = "49.00", days: int = 31, of_days: int = 31, currency: str = "EUR") -> PlanFeeFacts:
    """Return a plan fee for January."""
    return PlanFeeFacts(amount=Money(amount, currency), share=Share(days, of_days), period=JANUARY, name="Scale")


def usage(events: int, value: str | None = None, **rest: Any) -> UsageFacts:
    """Return the summed usage of a bucket."""
    figure = None if value is None else Decimal(value)
    return UsageFacts(aggregation.of(kind=Aggregation.SUM, events_count=events, value=figure), **rest)


def charge(**changed: Any) -> ChargeFacts:
    """Return a charge on a summed metric, a cent a unit, without usage."""
    given = {
        "id": 7,
        "code": "requests",
        "metric_code": "requests",
        "aggregation": Aggregation.SUM,
        "model": ChargeModel.STANDARD,
        "properties": {"amount": "0.01"},
        "period": JANUARY,
        "name": "Requests",
    }
    return ChargeFacts(**{**given, **changed})


def contract(**changed: Any) -> ContractFacts:
    """Return a contract in euros without fee and charges."""
    given = {"subscription_id": 3, "plan_id": 5, "plan_version": 2, "currency": "EUR", "timezone": "Europe/Berlin"}
    return ContractFacts(**{**given, **changed})


ROUNDINGS = st.none() | st.builds(Rounding, st.sampled_from(RoundingFunction), st.integers(-2, 4))


@st.composite
def charges(draw: st.DrawFn) -> ChargeFacts:
    """Draw a charge of any model that needs nothing but units, with filters and usage."""
    model, raw = draw(prices.priced())
    filters = [
        FilterFacts(id=number, properties=raw, values={"status": [str(number)]})
        for number in range(draw(st.integers(0, 2)))
    ]
    buckets = [
        usage(
            draw(st.integers(0, 20)),
            format(draw(st.decimals(-5, 5000, places=6)), "f"),
            filter_id=filter_id,
            digest=draw(st.integers(-(2**70), 2**70)),
        )
        for filter_id in draw(st.sets(st.sampled_from([None, *(item.id for item in filters)])))
    ]
    return charge(model=ChargeModel(model), properties=raw, filters=filters, usage=buckets, rounding=draw(ROUNDINGS))


@st.composite
def contracts(draw: st.DrawFn) -> ContractFacts:
    """Draw a contract with a prorated fee and some charges, in a currency with any number of decimals."""
    currency = draw(st.sampled_from(["EUR", "JPY", "BHD"]))
    of_days = draw(st.integers(1, 366))
    minor = draw(st.integers(0, 10**7))
    amount = Money(Decimal(minor).scaleb({"EUR": -2, "JPY": 0, "BHD": -3}[currency]), currency)
    plan_fee = PlanFeeFacts(amount=amount, share=Share(draw(st.integers(0, of_days)), of_days), period=JANUARY)
    return contract(currency=currency, fee=plan_fee, charges=draw(st.lists(charges(), max_size=3)))
