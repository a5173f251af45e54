"""Usage that passed a threshold, looked at by several at once and by one who is killed: one invoice."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import AppliedUsageThreshold, Subscription, ThresholdCheck
from billing.services import progressive_billing, runs, usage_thresholds
from config.kernel import db, jobs
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import finalization
from tests.concurrency.threads import together
from tests.factories import billing, catalog
from tests.factories import invoicing as parties
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

AT = billing.instant("2026-05-05T11:00")


@pytest.fixture(autouse=True)
def customer(monkeypatch: pytest.MonkeyPatch) -> Customer:
    """300.00 used of a plan with a threshold at 200.00; messages go nowhere."""

    def drop(path: str, **kwargs: object) -> None:
        """Send nothing."""

    monkeypatch.setattr(jobs, "enqueue", drop)
    charge = catalog.standard(catalog.make_metric("gigabytes", "sum_agg"), "1")
    plan = catalog.make_plan("p", cents=0, charges=[charge], usage_thresholds=[{"amount_cents": 20_000}])
    found = parties.make_customer(parties.make_entity())
    billing.make_subscription(found, plan, at=billing.instant("2026-05-01"))
    billing.send("sub", "gigabytes", "2026-05-05T10:00", gigabytes="300")
    return found


def run() -> Any:
    return progressive_billing.run(as_of=AT)


def bill(customer: Customer) -> Any:
    return progressive_billing.bill(customer_id=customer.pk, external_id="sub", as_of=AT)


def test_four_who_look_make_one_invoice() -> None:
    outcomes = together([run] * 4)
    assert [outcome.failed for outcome in outcomes] == [{}] * 4
    assert sum(outcome.invoices for outcome in outcomes) == 1
    assert (Invoice.objects.count(), AppliedUsageThreshold.objects.count()) == (1, 1)
    assert not ThresholdCheck.objects.exists()


def test_the_customer_s_lock_lets_the_second_see_what_the_first_billed(customer: Customer) -> None:
    outcomes = together([lambda: bill(customer)] * 2)
    assert sorted(outcome is None for outcome in outcomes) == [False, True]
    assert Invoice.objects.count() == 1


def test_control_without_the_lock_the_key_is_what_stops_the_second(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows what the lock is for: another one bills the same usage while this one does."""
    monkeypatch.setattr(db, "lock_one", lambda rows: rows.get())
    inside: list[Any] = []

    def slow(**_: Any) -> None:
        if not inside:
            inside.append(True)
            inside.extend(together([lambda: bill(customer)]))

    monkeypatch.setattr(progressive_billing.set_aside, "demand_billable", slow)
    with pytest.raises(Exception, match="billing_applied_threshold_once"):
        bill(customer)
    assert isinstance(inside[1], Invoice)
    assert (Invoice.objects.count(), AppliedUsageThreshold.objects.count()) == (1, 1)


def test_one_who_is_killed_leaves_nothing_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(**_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(finalization, "finalize", killed)
        patched.setattr(progressive_billing.invoices, "finalize", killed)
        with pytest.raises(SystemExit):
            run()
    assert not Invoice.objects.exists()
    assert not AppliedUsageThreshold.objects.exists()
    assert ThresholdCheck.objects.count() == 1
    assert run().invoices == 1


def test_one_that_is_marked_while_it_is_looked_at_is_looked_at_again(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one publishes a new version of the plan while the usage is held against the old one."""

    def mark() -> int:
        return usage_thresholds.wake(subscriptions=Subscription.objects.filter(customer=customer), at=AT)

    def publish(**_: object) -> None:
        assert together([mark]) == [1]  # kept waiting by nobody

    with monkeypatch.context() as patched:
        patched.setattr(progressive_billing, "bill", publish)
        assert run().subscriptions == 1
    assert ThresholdCheck.objects.count() == 1
    assert run().invoices == 1
    assert not ThresholdCheck.objects.exists()


def test_a_billing_run_at_the_same_moment_takes_it_off_or_comes_first(customer: Customer) -> None:
    usage_thresholds.look(at=AT)
    at = billing.instant("2026-06-01T00:10")
    together([run, lambda: runs.run(as_of=at, trigger="test", actor=ACTOR)])
    billed = Invoice.objects.order_by("pk")
    # Whoever comes first: 300.00 is billed in all.
    assert sum(one.net_amount.amount for one in billed) == 300
