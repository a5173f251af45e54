"""The sample's teams who came, went, came back and moved between plans, and what their recurring revenue says of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.models import Subscription
from billing.queries import recurring_revenue
from config.demo import loading, movements
from config.demo.api import Api
from config.demo.movements import Team
from config.kernel import jobs
from invoicing.models import CreditNote
from tests.scenarios.conftest import AT

pytestmark = pytest.mark.django_db

LAST = date(2026, 5, 1)


def months_of(team: Team) -> list[str]:
    """Return what a team paid a month at the ends of December to May, as whole euro."""
    rows = recurring_revenue.by_month(at=AT, since=date(2025, 12, 1), external_customer_id=team.external_id)
    known = {one.month: one.amount.amount for one in rows}
    months = [date(2025, 12, 1), *(date(2026, month, 1) for month in range(1, 6))]
    return [f"{known.get(month, Decimal(0)):.0f}" for month in months]


def test_teams_move_as_they_are_meant_to(api: Api) -> None:
    loading.catalogue(api)
    loading.customers(api, [team.customer for team in movements.TEAMS], step=lambda: None)
    for _ in range(2):  # again, nothing more
        movements.play(last_month=LAST)
        jobs.run("billing", as_of=AT)

    # The fee of the workspace is 29.00, of the larger one 119.00.
    assert months_of(movements.UPGRADES) == ["29", "29", "29", "119", "119", "119"]
    assert months_of(movements.DOWNGRADES) == ["119", "119", "119", "29", "29", "29"]  # asked in March, from April
    assert months_of(movements.LEAVES) == ["119", "119", "119", "119", "0", "0"]
    assert months_of(movements.COMES_BACK) == ["29", "29", "0", "0", "29", "29"]
    assert months_of(movements.COMES_LATE) == ["0", "0", "0", "0", "0", "119"]

    ended = Subscription.objects.filter(external_id=movements.LEAVES.subscription_id)
    assert [one.status for one in ended] == ["terminated"]
    assert CreditNote.objects.filter(customer__external_id=movements.LEAVES.external_id).count() == 1
