"""Notices before agreed ends: once each, by local days, none that is stale."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.models import Subscription, SubscriptionNotice
from billing.queries import alerts as known
from billing.services import ending_notices, terminations
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import pause_stories
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

END = instant("2026-12-31T23:00")


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity(), timezone="UTC")


@pytest.fixture
def subscription(customer: Customer) -> Subscription:
    return made.make_subscription(customer, goods.make_plan("p"), at=instant("2026-05-01"), ending_at=END)


def look(at: str) -> int:
    return ending_notices.run(as_of=instant(at)).notices


def days() -> list[int]:
    return list(SubscriptionNotice.objects.order_by("pk").values_list("days_before", flat=True))


def shown(at: str) -> list[Any]:
    return [(str(row), [one.days_before for one in row.notices.all()]) for row in known.ending(as_of=instant(at))]


def test_once_each_on_its_day(subscription: Subscription) -> None:
    assert look("2026-11-15T23:59") == 0  # 46 days
    assert look("2026-11-16T00:00") == 1
    assert look("2026-12-01") == 0
    assert look("2026-12-16") == 1
    assert look("2026-12-31T22:00") == 0
    assert days() == [45, 15]
    assert shown("2026-12-20") == [("sub", [15, 45])]
    assert [one.days_before for one in known.notices(subscription)] == [15, 45]


def test_an_end_agreed_late_skips_what_is_over(subscription: Subscription) -> None:
    look("2026-12-20")
    assert days() == [15]


def test_days_are_those_of_the_customer(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(timezone="Asia/Tokyo")
    made.make_subscription(customer, goods.make_plan("p"), at=instant("2026-05-01"), ending_at=END)
    # In Tokyo it ends on 1 January at 08:00, so that 45 days before are 17 November, which begins at 15:00 UTC.
    assert look("2026-11-16T14:59") == 0
    assert look("2026-11-16T15:00") == 1


def test_one_that_is_paused_ends_all_the_same(subscription: Subscription) -> None:
    waiting = pause_stories.pause(subscription, "2026-11-10")
    assert look("2026-11-16") == 1
    assert shown("2026-11-16") == [(str(waiting), [45])]
    assert [one.days_before for one in known.notices(waiting)] == [45]


def test_a_moved_end_has_its_own_and_the_old_are_not_shown(subscription: Subscription) -> None:
    look("2026-12-20")
    subscription.ending_at = END + timedelta(days=60)
    subscription.save(update_fields=["ending_at"])
    assert shown("2026-12-20") == []
    assert known.notices(subscription) == []
    assert look("2026-12-20") == 0
    assert look("2027-02-15") == 1
    assert shown("2027-02-15") == [("sub", [15])]


def test_a_called_off_end_and_one_that_came_are_not_shown(subscription: Subscription) -> None:
    look("2026-12-20")
    assert shown("2027-01-01") == []
    subscription.ending_at = None
    subscription.save(update_fields=["ending_at"])
    assert (shown("2026-12-20"), look("2026-12-21")) == ([], 0)
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-12-22"))
    subscription.refresh_from_db()
    assert known.notices(subscription) == []


def test_the_days_are_a_setting(subscription: Subscription, settings: Any) -> None:
    settings.ENDING_NOTICE_DAYS = []
    assert look("2026-12-20") == 0
    settings.ENDING_NOTICE_DAYS = [90, 7]
    assert look("2026-12-20") == 1
    assert days() == [90]
