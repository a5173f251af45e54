"""Build runners of the sample: prices that the catalogue takes, customers of one currency, and round figures."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from catalog.domain.pricing import properties
from config.demo import builds, buyers

LAST, MONTH = date(2026, 1, 1), date(2026, 2, 1)
AT = datetime(2026, 2, 10, 15, 30, tzinfo=UTC)
PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])
PLANS = {plan["code"]: plan for plan in builds.plans({builds.MINUTES: "id"})}


def test_plans_are_what_the_catalogue_accepts():
    assert len(PLANS) == 2
    for plan in PLANS.values():
        (charge,) = plan["charges"]
        assert properties.parse(model=charge["charge_model"], raw=charge["properties"])
    assert "minimum_commitment" not in PLANS[builds.METERED]
    assert "usage_thresholds" not in PLANS[builds.COMMITTED]


def test_every_holder_pays_in_the_plans_currency():
    ids = [holder.external_id(PEOPLE) for holder in builds.HOLDERS]
    assert len(set(ids)) == len(ids) == 9
    for holder in builds.HOLDERS:
        assert PEOPLE[holder.rank].seller.currency == PLANS[holder.plan]["amount_currency"]
        assert holder.rank % 3 == 0


def test_events_come_once_they_have_happened():
    whole = list(builds.events(PEOPLE, last_month=LAST, month=MONTH, until=AT))
    ahead = list(builds.events(PEOPLE, last_month=LAST, month=MONTH, until=datetime(2026, 2, 1, tzinfo=UTC)))

    keys = {(event["external_subscription_id"], event["transaction_id"]) for event in whole}
    assert len(keys) == len(whole) == len(ahead) + 1  # the one of the running month
    assert all(event["timestamp"] <= AT.timestamp() for event in whole)


@pytest.mark.parametrize(
    ("holder", "usage", "missing"),
    [
        (builds.COMMITS, "120.00", "130.00"),  # 1,200 × 0.10; 300.00 − 50.00 − 120.00
        (builds.HAS_OWN_TERMS, "80.00", "130.00"),  # 1,000 × 0.08; 250.00 − 40.00 − 80.00
    ],
)
def test_minimum_leaves_something_to_bill(holder, usage, missing):
    plan = PLANS[holder.plan] | dict(holder.agreed).get("plan_overrides", {})
    price = Decimal(plan["charges"][0]["properties"]["amount"])
    used = price * sum(minutes for _, minutes in holder.minutes)

    assert used == Decimal(usage)
    lacks = Decimal(plan["minimum_commitment"]["amount_cents"] - plan["amount_cents"]) / 100 - used
    assert lacks == Decimal(missing)


def test_only_one_passes_thresholds():
    first = builds.THRESHOLDS[0]["amount_cents"]
    over = [one for one in builds.HOLDERS if sum(minutes for _, minutes in one.minutes) * 10 >= first]

    assert over == [builds.PASSES_THRESHOLDS]


@pytest.mark.parametrize("at", [AT, datetime(2026, 12, 31, 23, tzinfo=UTC)])
def test_agreed_end_lies_ahead_whenever_it_begins(at):
    bodies = builds.backdated(PEOPLE, first_day=LAST, at=at)

    (end,) = [body["ending_at"] for body in bodies if "ending_at" in body]
    assert datetime.fromisoformat(end) > at
    assert all(body["backdated_billing"] == "bill" for body in bodies)
