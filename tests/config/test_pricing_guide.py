"""The guide to metering and pricing: every figure of its tables is what the product computes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest

from billing.domain import advance, aggregation, minimums, periods, pricing_units, prorated_usage
from billing.domain.advance import Level
from billing.domain.held_time import HeldTime
from billing.domain.minimums import Minimum
from billing.domain.prorated_usage import Held, Prorated
from billing.domain.proration import Share
from billing.queries import aggregates
from billing.queries.event_windows import Window
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import models, properties, values
from config import environment
from config.kernel import dates
from config.kernel.dates import Period
from tests.domain.billing import schedules
from tests.factories import usage
from tests.factories.billing import instant

D = Decimal
TEXT = (environment.BASE_DIR / "docs" / "metering-and-pricing.md").read_text(encoding="utf-8")


def table(title: str) -> list[list[str]]:
    """Return the rows of the first table of a chapter, without its head."""
    chapter = TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in chapter.splitlines() if line.startswith("| ")]
    assert len(rows) > 1, title
    return [[cell.strip("` ") for cell in row] for row in rows[1:]]


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "found", "units"), [row[:3] for row in table("Metrics")])
def test_metrics(kind: str, found: str, units: str) -> None:
    april = Period(instant("2026-04-01"), instant("2026-05-01"))
    sent = found.split(", ")
    for number, value in enumerate(sent):
        at = april.start + timedelta(days=30) / len(sent) * number
        usage.store(usage.make_event(at.replace(tzinfo=None).isoformat(), properties={"x": value}))
    natural = periods.period_at(schedules.of("monthly", "calendar", april.start.date()), april.start)
    is_level = kind == "weighted_sum_agg"
    window = Window(
        id=1,
        aggregation=Aggregation(kind),
        external_subscription_id="sub",
        event_code="requests",
        field_name="" if kind == "count_agg" else "x",
        from_at=april.start,
        to_at=april.end,
        held=HeldTime(april, natural, dates.zone("UTC")) if is_level else None,
    )
    [part] = aggregates.usage(windows=[window])[1]
    assert aggregation.units(facts=part.facts, rounding_rule=None) == D(units)


@pytest.mark.parametrize(("model", "raw", "units", "events", "amount"), table("Charge models"))
def test_charge_models(model: str, raw: str, units: str, events: str, amount: str) -> None:
    terms = properties.parse(model=model, raw=json.loads(raw))
    found = models.price(properties=terms, usage=values.Usage(units=D(units), events_count=int(events)))
    assert found.amount == D(amount)


@pytest.mark.parametrize(("units", "days", "of_days", "counted"), table("Proration"))
def test_proration(units: str, days: str, of_days: str, counted: str) -> None:
    facts = Prorated(Aggregation.SUM, 1, D(units), (Held(D(units), int(days)),), int(of_days))
    assert prorated_usage.value(facts) == D(counted)


def test_in_advance() -> None:
    terms = properties.parse(model="standard", raw={"amount": "3"})
    level = Level()
    for value, reached, new, fee in table("In advance"):
        by = advance.change(kind=Aggregation.SUM, value=D(value), adds=True, is_there=False)
        step = advance.step(level=level, by=by, terms=terms, kind=Aggregation.SUM)
        level = step.after
        amount = advance.price(step=step, terms=terms, kind=Aggregation.SUM).amount
        assert (level.units, step.new_units, amount) == (D(reached), D(new), D(fee))
    assert level.peak == 12


@pytest.mark.parametrize(("minimum", "days", "of_days", "used", "missing"), table("Minimums"))
def test_minimums(minimum: str, days: str, of_days: str, used: str, missing: str) -> None:
    found = minimums.missing(minimum=Minimum(D(minimum), Share(int(days), int(of_days))), used=D(used))
    assert found == D(missing)


@pytest.mark.parametrize(("amount", "rate", "worth"), table("Pricing units"))
def test_pricing_units(amount: str, rate: str, worth: str) -> None:
    assert pricing_units.in_money(amount=D(amount), conversion_rate=D(rate)) == D(worth)


def test_all_aggregations_and_models_are_there() -> None:
    assert sorted(row[0] for row in table("Metrics")) == sorted(Aggregation)
    named = {row[0] for row in table("Charge models")}
    assert {str(model) for model in models.ChargeModel} - named == {"dynamic"}
    assert re.search(r"\*\*Dynamic\*\*", TEXT)
