"""A year of recurring revenue with its movements, what stays of it, and its cohorts: exact figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.domain import cohorts, retention, revenue_movements
from billing.domain.revenue_movements import Movement, Paces
from billing.queries import report_recurring
from catalog.models import PlanVersion
from customers.models import Customer
from invoicing.queries import report_documents
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import plan_stories as story
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db

END = instant("2026-12-20T12:00")


def plan(code: str, cents: int, **values: object) -> PlanVersion:
    return goods.make_plan(code, cents=cents, at=instant("2025-01-01"), **values)


@pytest.fixture
def year() -> list[Customer]:
    """Three customers who come, grow, shrink, leave and come back."""
    entity = parties.make_entity()
    a, b, c = (parties.make_customer(entity, key) for key in ("a", "b", "c"))
    basic, pro = plan("basic", 10000), plan("pro", 25000)
    yearly = plan("yearly", 10000, interval="yearly", pay_in_advance=True)
    story.begin(a, basic, "2026-01-10", external_id="a")
    leaving = story.begin(b, yearly, "2026-02-05", external_id="b")
    story.run("2026-02-05T10:00")
    made.make_subscription(a, pro, "a", at=instant("2026-03-12"))  # dearer: at once
    story.end(leaving, "2026-04-20T12:00")
    story.begin(b, basic, "2026-06-15", external_id="b2")
    story.begin(c, basic, "2026-07-03", external_id="c")
    second = story.begin(c, pro, "2026-08-10", external_id="c2")
    story.end(second, "2026-10-20T12:00")
    return [a, b, c]


def paces(*, since: date = date(2025, 12, 1), until: date = date(2026, 12, 1), is_whole: bool = False) -> Paces:
    return report_recurring.paces(at=END, months=report_recurring.month_range(since, until), is_whole=is_whole)


def test_the_movements_of_a_year(year: list[Customer]) -> None:
    """The yearly fee is 100.00 / 12 = 8.33 a month; what does not happen is a movement of an unchanged month."""
    found = revenue_movements.by_month(paces(), currency="EUR")
    moved = {
        one.month.month: (
            {kind.value: f"{part.amount:.2f}" for kind, part in one.movements.items() if part},
            f"{one.end.amount:.2f}",
        )
        for one in found
        if one.start != one.end
    }
    assert moved == {
        1: ({"new": "100.00"}, "100.00"),
        2: ({"new": "8.33"}, "108.33"),
        3: ({"expansion": "150.00"}, "258.33"),
        4: ({"churn": "-8.33"}, "250.00"),
        6: ({"reactivation": "100.00"}, "350.00"),
        7: ({"new": "100.00"}, "450.00"),
        8: ({"expansion": "250.00"}, "700.00"),
        10: ({"contraction": "-250.00"}, "450.00"),
    }
    assert [one.customers_end for one in found] == [1, 2, 2, 1, 1, 2, 3, 3, 3, 3, 3, 3]


def test_whoever_was_there_before_the_months_asked_for_is_not_new(year: list[Customer]) -> None:
    _, b, c = year
    found = list(revenue_movements.moved(paces(since=date(2026, 5, 1))))
    kinds = {(one.customer_id, one.movement) for one in found}
    assert (b.pk, Movement.REACTIVATION) in kinds
    assert (c.pk, Movement.NEW) in kinds
    assert (b.pk, Movement.NEW) not in kinds


def test_the_list_of_subscriptions_has_the_change_of_plan_in_two_rows(year: list[Customer]) -> None:
    found = report_recurring.by_subscription(
        at=END, months=(date(2026, 2, 1), date(2026, 3, 1)), currency="EUR", customer_ids=[year[0].pk]
    )
    assert [(one.subscription, one.before, one.after) for one in found] == [("a", 100, 0), ("a", 0, 250)]


def test_what_stays_over_half_a_year(year: list[Customer]) -> None:
    """At the end of February: a 100, b 8.33. At the end of August: a 250, b 100 on another plan; c does not count.

    Net 350 / 108.33, gross 108.33 / 108.33. At the end of May b was gone: 250 / 108.33, gross 100 / 108.33.
    """
    by_month = {one.month.month: one for one in retention.by_month(paces(), currency="EUR", back=6)}
    august = by_month[8]
    assert (august.before.amount, august.after.amount, august.kept.amount) == (
        Decimal("108.33"),
        Decimal("350.00"),
        Decimal("108.33"),
    )
    assert (august.customers, august.lost) == (2, 0)
    [may] = [one for one in retention.by_month(paces(), currency="EUR", back=3) if one.month == date(2026, 5, 1)]
    assert (may.after.amount, may.kept.amount, may.customers, may.lost) == (250, 100, 2, 1)


def test_cohorts_of_first_bills(year: list[Customer]) -> None:
    """b was billed in February, in advance; a in March, at the change of plan."""
    a, b, _ = year
    firsts = report_documents.first_bills(currency="EUR")
    assert firsts[b.pk] == date(2026, 2, 1)
    found = {
        one.month: one
        for one in cohorts.by_month(
            paces(since=date(2026, 1, 1), is_whole=True), first_bills={b.pk: firsts[b.pk]}, currency="EUR"
        )
    }
    february = found[date(2026, 2, 1)]
    assert [one.customers for one in february.points[:6]] == [1, 1, 0, 0, 1, 1]
    assert february.points[0].amount.amount == Decimal("8.33")
    assert (february.revenue(2), february.customers(2)) == (0, 0)
    assert a.pk != b.pk
