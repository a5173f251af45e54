"""Plans that are deleted while somebody has them: what was bought ends with its last invoice, then the plan is gone."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Subscription
from billing.services import plan_endings, terminations
from catalog.models import Plan
from catalog.services import plan_deletions
from config.kernel import errors
from tests.factories import billing, catalog, contracts, customers
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

NOW = instant("2026-01-20T12:00:00")


def ask(code: str = "starter") -> None:
    plan_deletions.ask(code=code, actor=ACTOR, at=NOW)


def test_what_was_bought_ends_and_then_the_plan() -> None:
    customers.make_default_entity()
    customer = customers.make_customer(currency="EUR")
    plan = catalog.make_plan(cents=3100, pay_in_advance=False)
    other = catalog.make_plan("other")
    billing.make_subscription(customer, plan, at=instant("2026-01-01T00:00:00"))
    kept = billing.make_subscription(customer, other, external_id="kept", at=instant("2026-01-01T00:00:00"))
    ask()
    ask()  # asking again changes nothing
    with pytest.raises(errors.NotFound):  # nobody can buy it any more
        billing.make_subscription(customer, plan, external_id="late", at=instant("2026-01-20T00:00:00"))

    first, second = plan_endings.run(as_of=NOW), plan_endings.run(as_of=NOW)

    assert (first.subscriptions, first.left, first.plans) == (1, 0, 1)
    assert (second.subscriptions, second.left, second.plans) == (0, 0, 0)
    assert set(Subscription.objects.values_list("external_id", "status")) == {("sub", "terminated"), ("kept", "active")}
    assert kept.plan_version.plan_id != plan.plan_id
    # 31.00 × 20 of 31 days
    assert [total for _, _, total in billing.billed(customer)] == ["20"]
    assert Plan.objects.get(code="starter").deleted_at == NOW
    assert Plan.objects.get(code="other").deleted_at is None


def test_a_change_to_another_plan_that_has_come_is_not_ended() -> None:
    """The change is carried out late, after the deletion: what follows is of a plan that nobody deleted."""
    customers.make_default_entity()
    customer = customers.make_customer(currency="EUR", timezone="UTC")
    big, small = catalog.make_plan("big", cents=6200), catalog.make_plan("small", cents=3100)
    billing.make_subscription(customer, big, at=instant("2026-01-01"))
    billing.make_subscription(customer, small, at=instant("2026-01-10"))  # waits for the end of the month
    billing.make_subscription(customer, big, external_id="stays", at=instant("2026-01-01"))
    billing.make_subscription(customer, small, external_id="stays", at=instant("2026-01-10"))
    day = instant("2026-02-01T00:03:00")
    plan_deletions.ask(code="big", actor=ACTOR, at=day)

    found = plan_endings.run(as_of=day)

    assert (found.subscriptions, found.left, found.plans) == (0, 0, 1)
    rows = Subscription.objects.order_by("pk").values_list("plan_version__plan__code", "status")
    assert sorted(rows) == [("big", "terminated")] * 2 + [("small", "active")] * 2


def test_a_change_to_the_plan_is_called_off() -> None:
    customers.make_default_entity()
    customer = customers.make_customer(currency="EUR", timezone="UTC")
    big, small = catalog.make_plan("big", cents=6200), catalog.make_plan("small", cents=3100)
    billing.make_subscription(customer, big, at=instant("2026-01-01"))
    billing.make_subscription(customer, small, at=instant("2026-01-10"))
    ask("small")

    found = plan_endings.run(as_of=NOW)

    assert (found.subscriptions, found.left, found.plans) == (1, 0, 1)
    rows = Subscription.objects.order_by("pk").values_list("plan_version__plan__code", "status")
    assert list(rows) == [("big", "active"), ("small", "canceled")]


def test_one_that_fails_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    customers.make_default_entity()
    customer = customers.make_customer(currency="EUR")
    plan, other = catalog.make_plan(), catalog.make_plan("other")
    bad = billing.make_subscription(customer, plan, external_id="bad", at=instant("2026-01-01"))
    billing.make_subscription(customer, plan, external_id="good", at=instant("2026-01-01"))
    billing.make_subscription(customer, other, external_id="else", at=instant("2026-01-01"))
    ask()
    ask("other")
    terminate = terminations.terminate

    def fails(*, subscription_id: int, **values: Any) -> Subscription:
        if subscription_id == bad.pk:
            raise ArithmeticError("a fault")
        return terminate(subscription_id=subscription_id, **values)

    monkeypatch.setattr(terminations, "terminate", fails)
    found = plan_endings.run(as_of=NOW)

    assert (found.subscriptions, found.left, found.plans) == (2, 1, 1)
    assert Subscription.objects.get(status="active") == bad
    assert Plan.objects.get(deleted_at__isnull=True) == plan.plan


def test_what_a_contract_sells_keeps_the_plan() -> None:
    customers.make_default_entity()
    customer = customers.make_customer(currency="EUR")
    catalog.make_plan()
    contract = contracts.activate(contracts.draft(customer, contracts.phase("starter")))
    assert contract.pk is not None
    ask()

    found = plan_endings.run(as_of=NOW)

    assert (found.subscriptions, found.left, found.plans) == (0, 1, 0)
    assert Subscription.objects.get().status == Subscription.Status.ACTIVE
    assert Plan.objects.get().deleted_at is None
