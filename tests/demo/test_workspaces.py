"""Workspaces of the sample: prices that the catalogue takes, and events for those who have one only."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from catalog.domain import charge_terms, fixed_charges
from catalog.domain.charge_terms import Terms
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import properties
from config.demo import buyers, log, usage, workspaces

FIRST, MONTH = date(2026, 1, 1), date(2026, 2, 1)
END = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])


def test_plans_are_what_the_catalogue_accepts():
    metrics = {metric["code"]: metric for metric in workspaces.METRICS}
    plans = workspaces.plans({code: code for code in metrics})

    assert len(plans) == 6
    assert all(plan["pay_in_advance"] for plan in plans)
    for charge in [charge for plan in plans for charge in plan["charges"]]:
        metric = metrics[charge["billable_metric_id"]]
        assert properties.parse(model=charge["charge_model"], raw=charge["properties"])
        charge_terms.check(
            Terms(
                model=charge["charge_model"],
                aggregation=Aggregation(metric["aggregation_type"]),
                is_recurring=metric.get("recurring", False),
                pay_in_advance=charge["pay_in_advance"],
                invoiceable=charge.get("invoiceable", True),
                regroup_paid_fees=charge.get("regroup_paid_fees", ""),
            )
        )
    hours = [row for plan in plans for row in plan["fixed_charges"]]
    assert len(hours) == 3  # the larger plan, in each currency
    for row in hours:
        fixed_charges.check(model=row["charge_model"], pay_in_advance=row["pay_in_advance"], prorated=False)


def test_moves_go_to_a_dearer_and_to_a_cheaper_plan():
    plans = {plan["code"]: plan["amount_cents"] for plan in workspaces.plans({"seats": "s", "large_downloads": "d"})}
    moves = []
    for holder in workspaces.HOLDERS:
        if holder.moves_to:
            currency = PEOPLE[holder.rank].seller.currency
            before = plans[workspaces.plan_code(holder.tariff, currency)]
            moves.append(plans[workspaces.plan_code(holder.moves_to, currency)] > before)

    assert sorted(moves) == [False, True]


def test_workspace_is_a_subscription_beside_the_hosting():
    holder = workspaces.HOLDERS[0]
    buyer = PEOPLE[holder.rank]

    body = workspaces.subscription(buyer, holder, first_day=FIRST)

    assert body["external_customer_id"] == buyer.external_id
    assert body["external_id"] != buyer.subscription(FIRST)["external_id"]
    assert body["plan_code"] == "workspace_eur"
    assert body["backdated_billing"] == "bill"


@pytest.mark.parametrize(("until", "expected"), [(END, 12), (datetime(2026, 1, 4, tzinfo=UTC), 3)])
def test_seats_are_taken_one_a_day_until_now(until, expected):
    # Taken in January: 2 + 4 + 3, the first on the 3rd, the next ones a day later; in February 1 + 2 more.
    found = list(workspaces.seats(PEOPLE, first_month=FIRST, month=MONTH, until=until))

    assert len(found) == expected
    assert len({(event["external_subscription_id"], event["transaction_id"]) for event in found}) == len(found)
    assert all(event["timestamp"] <= until.timestamp() for event in found)


def test_large_downloads_are_real_requests_of_holders():
    requests = log.read()
    account_of = usage.accounts(requests)
    own = dict.fromkeys(account for account in account_of.values() if account != usage.COMMUNITY)
    people = buyers.all_of(list(own))

    found = list(workspaces.downloads(requests, people, account_of, month=MONTH, until=END))

    holders = {workspaces.subscription_id(people[holder.rank].external_id) for holder in workspaces.HOLDERS}
    assert Counter(event["code"] for event in found) == {"large_downloads": 6}
    assert {event["external_subscription_id"] for event in found} <= holders
    assert all(event["properties"]["bytes"] >= 5_000_000 for event in found)
