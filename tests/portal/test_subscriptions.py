"""Subscriptions in the portal: plans, prices, what they change to, and the usage of the period that runs."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.portal import rows
from billing.services import terminations
from catalog.models import PlanVersion
from customers.models import Customer
from customers.services import portal_links
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

NOW = instant("2026-05-20T12:00")


@pytest.fixture
def plan(db: None) -> PlanVersion:
    calls, storage = goods.make_metric("calls"), goods.make_metric("storage")
    charges = [
        goods.standard(calls, "0.50"),
        goods.standard(storage, "0.10"),
        goods.standard(goods.make_metric("none")),
    ]
    return goods.make_plan("pro", cents=4900, charges=charges, at=instant("2026-01-01"))


def see(customer: Customer, page: str = "") -> str:
    with time_machine.travel(NOW, tick=False):
        token = portal_links.make(customer=customer, at=NOW).token
        answer = Client().get(f"/portal/{token}/{page}")
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def begin(customer: Customer, plan: PlanVersion, external_id: str, **values: Any) -> Any:
    return made.make_subscription(customer, plan, external_id, at=values.pop("at", instant("2026-05-01")), **values)


def test_usage_of_the_period(customer: Customer, stranger: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "mine", name="Production")
    begin(stranger, plan, "theirs", name="Secret")
    made.send("mine", "calls", "2026-05-02T10:00", "2026-05-03T10:00")
    made.send("mine", "storage", "2026-05-03T10:00")
    made.send("theirs", "calls", *(f"2026-05-{day:02}T10:00" for day in range(2, 20)))

    for page in ("", "subscriptions"):
        text = see(customer, page)
        assert "Production" in text
        assert "€49.00 a month" in text
        assert "2026" in text.split("Usage so far")[1].partition("</p>")[0]
        assert "€1.00" in text  # 2 × 0.50
        assert "€1.31" in text  # 1.10 and 19 %: 1.309
        assert f'width="{rows.BARS}"' in text
        assert 'width="10"' in text  # 0.10 beside 1.00
        assert "Secret" not in text
        assert "theirs" not in text


def test_subscriptions_of_every_kind(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "a", name="Running", ending_at=instant("2026-12-31"))
    begin(customer, plan, "b", name="Later", subscription_at=instant("2026-07-01"), at=NOW)
    gone = begin(customer, plan, "c", name="Gone")
    terminations.terminate(subscription_id=gone.pk, actor=ACTOR, at=instant("2026-05-10"))

    text = see(customer, "subscriptions")

    # The seller names no country, so that days are written as in the United States.
    for word in ("Running", "Active", "Dec 31, 2026", "Later", "Starts later", "Jul 1, 2026", "Jun 1, 2026"):
        assert word in text
    assert "Gone" not in text


def test_a_change_that_waits_is_told_once(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "a", name="Running")
    begin(customer, goods.make_plan("small", cents=500, at=instant("2026-01-01")), "a", at=instant("2026-05-10"))

    text = see(customer, "subscriptions")

    assert text.count('<section class="card">') == 1
    assert "Changes to" in text
    assert "Small, Jun 1, 2026" in text


def test_nobody_has_no_subscriptions(stranger: Customer) -> None:
    assert "There are no subscriptions here" in see(stranger, "subscriptions")
