"""Amounts that events carry: in minor units of the currency, or of the pricing unit, whatever the currency is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.models import RatedCharge
from billing.services import estimated_fees, runs
from catalog.models import Charge, PlanVersion
from invoicing.models import InvoiceLine
from tests.factories import advance, billing, catalog, customers, pricing, usage

pytestmark = pytest.mark.django_db

# Two events of 1234.5 and 100 minor units: what they come to in the currency, and in a unit worth two of the currency.
CASES = [
    # 1334.5 rounded, and 13.345 of the unit, rounded to 13.35, times 2 = 26.7
    ("JPY", "1335", "27"),
    # 13.345, and the same 26.7
    ("EUR", "13.35", "26.7"),
    # 1.3345, and the same 26.7
    ("BHD", "1.335", "26.7"),
]
# Each event alone: 12.345 of the unit is 12.35, and 1.00. In money 24.7 and 2.
ALONE = {
    "JPY": (["1235", "100"], ["25", "2"]),
    "EUR": (["12.35", "1"], ["24.7", "2"]),
    "BHD": (["1.235", "0.1"], ["24.7", "2"]),
}


def make_plan(currency: str, *, in_unit: bool) -> PlanVersion:
    metric = catalog.make_metric("spend", "sum_agg")
    charge = catalog.standard(metric, charge_model="dynamic", properties={})
    version = catalog.make_plan(cents=0, currency=currency, charges=[charge])
    if in_unit:
        pricing.in_unit(version, catalog.make_pricing_unit(), "2")
    billing.make_subscription(customers.make_customer(), version, at=billing.instant("2026-05-01"))
    return version


def spend() -> None:
    for number, cents in enumerate(["1234.5", "100"]):
        usage.store(
            usage.make_event(
                "2026-05-04T12:00:00",
                code="spend",
                transaction_id=f"t{number}",
                properties={"spend": 1},
                amount_cents=cents,
            )
        )


def amounts() -> list[str]:
    """Return the amounts of the fees of usage, in the order of their making."""
    rows = InvoiceLine.objects.filter(kind="charge").order_by("pk")
    return [f"{row.amount.amount.normalize():f}" for row in rows]


@pytest.mark.parametrize(("currency", "plain", "in_unit"), CASES)
@pytest.mark.parametrize("has_unit", [False, True])
def test_amounts_of_a_period(currency: str, plain: str, in_unit: str, has_unit: bool) -> None:
    make_plan(currency, in_unit=has_unit)
    spend()
    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    assert amounts() == [in_unit if has_unit else plain]
    if has_unit:
        line = InvoiceLine.objects.get()
        assert line.pricing_unit is not None
        assert (line.pricing_unit["precise_amount"], line.pricing_unit["amount"]) == ("13.345", "13.35")


@pytest.mark.parametrize("currency", ["JPY", "EUR", "BHD"])
@pytest.mark.parametrize("has_unit", [False, True])
def test_amounts_in_advance_and_their_estimates(currency: str, has_unit: bool) -> None:
    version = make_plan(currency, in_unit=has_unit)
    Charge.objects.filter(plan_version=version).update(pay_in_advance=True, invoiceable=False)
    first = usage.make_event("2026-05-04T11:00:00", code="spend", properties={"spend": 1}, amount_cents="1234.5")
    [estimate] = estimated_fees.estimate(event=first, at=billing.instant("2026-05-04T11:00"))
    spend()
    assert advance.bill("2026-05-04T13:00") == 2
    expected = ALONE[currency][has_unit]
    assert amounts() == expected
    assert estimate.amount.amount == Decimal(expected[0])
    assert RatedCharge.objects.count() == 2
