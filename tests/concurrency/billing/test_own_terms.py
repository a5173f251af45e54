"""Own terms agreed on while somebody else agrees on others, or publishes a version of the plan: none waits in a circle,
and nothing that was agreed is lost.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import pytest

from billing.domain.plan_changes import PlanChangeConflict
from billing.models import Subscription
from billing.services import own_terms, plan_changes, subscription_moves, subscription_plans
from catalog.domain import publications
from catalog.models import PlanVersion
from catalog.queries import plans as known_plans
from catalog.services import plans
from config.kernel import jobs
from tests.concurrency import threads
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

AT = instant("2026-01-16")


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def subscription() -> Subscription:
    customer = parties.make_customer(parties.make_entity())
    plan = goods.make_plan("pro", charges=[goods.standard(goods.make_metric("calls"), "1", code="calls")])
    return made.make_subscription(customer, plan, at=instant("2026-01-01"))


def test_one_of_two_people_agrees_and_the_other_is_told(subscription: Subscription) -> None:
    seen = plan_changes.state_of(subscription)
    agree = partial(own_terms.agree, subscription_id=subscription.pk, actor=ACTOR, at=AT)

    results = threads.together([partial(agree, terms={"amount_cents": cents}, seen=seen) for cents in (1000, 2000)])

    assert [type(one) for one in results if isinstance(one, Exception)] == [PlanChangeConflict]
    assert PlanVersion.objects.count() == 2


def test_control_who_says_nothing_of_what_was_seen_comes_on_top(subscription: Subscription) -> None:
    agree = partial(own_terms.agree, subscription_id=subscription.pk, actor=ACTOR, at=AT)

    results = threads.together(
        [partial(agree, terms={"amount_cents": 1000}), partial(agree, terms={"name": "Pro for Acme"})]
    )

    assert not [one for one in results if isinstance(one, Exception)]
    subscription.refresh_from_db()
    assert subscription.plan_version.overrides == {"amount_cents": 1000, "name": "Pro for Acme"}


def test_a_version_that_cascades_and_own_terms_do_not_wait_for_each_other(subscription: Subscription) -> None:
    own_terms.agree(subscription_id=subscription.pk, terms={"name": "Pro for Acme"}, actor=ACTOR, at=AT)
    publish = partial(
        plans.update,
        code="pro",
        values={"charges": [{"code": "calls", "properties": {"amount": "7"}}]},
        actor=ACTOR,
        at=AT,
        publication=publications.CASCADED,
    )
    agree = partial(own_terms.agree, subscription_id=subscription.pk, terms={"amount_cents": 1000}, actor=ACTOR, at=AT)

    results = threads.together([publish, agree])

    assert not [one for one in results if isinstance(one, Exception)]
    subscription.refresh_from_db()
    version = subscription.plan_version
    assert version.base_id == known_plans.by_code(code="pro").pk
    assert version.overrides == {"name": "Pro for Acme", "amount_cents": 1000}
    assert version.charges.get().properties == {"amount": "7"}


def test_a_change_of_plan_and_a_version_that_is_published_do_not_wait_for_each_other(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds_the_plan = threading.Event()
    adopt = subscription_moves.adopt_version

    def adopt_late(**values: Any) -> int:
        holds_the_plan.set()
        time.sleep(0.5)  # long enough for the other one to take all locks that it can get
        return adopt(**values)

    monkeypatch.setattr(subscription_moves, "adopt_version", adopt_late)
    publish = partial(plans.update, code="pro", values={"amount_cents": 4200}, actor=ACTOR, at=AT)
    seen = plan_changes.state_of(subscription)

    def change() -> Subscription:
        holds_the_plan.wait(threads.WAIT_SECONDS)
        return subscription_plans.change_plan(
            subscription_id=subscription.pk, plan_code="pro", seen=seen, actor=ACTOR, at=AT
        )

    results = threads.together([publish, change])

    # Who looked at another price is told; nobody is thrown out by the database.
    assert [type(one) for one in results if isinstance(one, Exception)] == [PlanChangeConflict]
    subscription.refresh_from_db()
    assert subscription.plan_version_id == known_plans.by_code(code="pro").pk
