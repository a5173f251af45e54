"""Rehearsals of billing runs: what they find is what the run makes, they leave nothing, and two people agree to it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from billing.domain import rehearsal_states
from billing.models import BillingRunItem, OutlierRule, Rehearsal, RehearsedInvoice
from billing.queries import rehearsals as known
from billing.services import (
    outlier_rules,
    parked_accounts,
    rehearsal_billing,
    rehearsal_computing,
    rehearsal_plays,
    rehearsals,
    run_starts,
    runs,
)
from catalog.models import BillableMetric, PlanVersion
from config.kernel.actors import Actor
from config.platform.models import AuditEntry
from config.platform.services import api_keys, installation
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import coupons as discounts
from tests.factories import invoicing as parties
from tests.factories import migration_stories as people
from tests.factories.billing import instant
from tests.factories.platform import ACTOR
from tests.factories.rehearsals import FEBRUARY, JANUARY, bill, fingerprint, rehearse, run, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Actor:
    return people.person("anna")


@pytest.fixture
def ben() -> Actor:
    return people.person("ben")


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity(taxes=[parties.make_tax()])


@pytest.fixture
def requests() -> BillableMetric:
    return goods.make_metric("requests")


@pytest.fixture
def plan(requests: BillableMetric) -> PlanVersion:
    return goods.make_plan("pro", cents=3100, charges=[goods.standard(requests, "0.10")])


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


def test_a_rehearsal_finds_what_the_run_makes_and_leaves_nothing(
    customer: Customer, plan: PlanVersion, anna: Actor, ben: Actor
) -> None:
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10", "2026-01-11")
    run(JANUARY)
    made.send("sub", "requests", *["2026-02-10"] * 1, *[f"2026-02-1{day}" for day in range(1, 10)])
    before = fingerprint()

    row = rehearse(FEBRUARY, anna)

    assert fingerprint() == before
    assert (row.state, row.customers_done, row.invoices_count, row.failures_count) == ("ready", 1, 1, 0)
    (found,) = known.invoices(rehearsal_id=row.pk)
    # 31.00 + 10 × 0.10 = 32.00, 19 % of it 6.08; January: 31.00 + 2 × 0.10 = 31.20, 19 % of it 5.928 → 5.93
    assert (found.subtotal_amount.amount, found.total_amount.amount) == (Decimal("32.00"), Decimal("38.08"))
    assert found.previous_subtotal_amount.amount == Decimal("31.20")
    assert found.previous_amount.amount == Decimal("37.13")
    assert found.difference_amount.amount == Decimal("0.95")
    assert found.causes == {"quantity": 80, "tax": 15}
    assert found.expected_amount.amount == Decimal("31.00")
    assert found.previous == Invoice.objects.get()
    assert (found.flags, found.billing_date) == ([], date(2026, 3, 1))

    sign(row, ben)
    done = bill(row)

    assert (done.status, done.invoices_count, done.failures_count) == ("succeeded", 1, 0)
    assert [one.total_amount.amount for one in Invoice.objects.order_by("pk")] == [Decimal("37.13"), Decimal("38.08")]
    assert Rehearsal.objects.get().state == "billed"
    assert Rehearsal.objects.get().run == done


def test_a_second_person_signs_off(customer: Customer, plan: PlanVersion, anna: Actor, ben: Actor) -> None:
    made.make_subscription(customer, plan, at=instant("2026-02-01"))
    row = rehearse(FEBRUARY, anna)
    key = Actor(kind="api_key", label="key")

    for who, code in ((anna, "second_person_required"), (key, "person_required")):
        with pytest.raises(rehearsals.UnableToSignOff) as refused:
            sign(row, who)
        assert refused.value.code == code
    with pytest.raises(rehearsals.InvalidRehearsal):
        sign(row, ben, acknowledged=1)
    with pytest.raises(rehearsal_states.InvalidRehearsalState):
        bill(row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rehearsal.objects.update(state="signed_off", signed_off_by=anna.user_id, signed_off_at=row.as_of)
    sign(row, ben)
    later = rehearse(FEBRUARY, anna)
    with pytest.raises(rehearsals.InvalidRehearsal):
        sign(later, ben)
    sign(later, ben, supersedes=True)

    assert list(Rehearsal.objects.order_by("pk").values_list("state", flat=True)) == ["dropped", "signed_off"]
    assert not Invoice.objects.exists()


def test_the_statements_of_a_chunk_do_not_grow_with_its_customers(
    entity: BillingEntity, plan: PlanVersion, anna: Actor, ben: Actor
) -> None:
    def statements(customers: int, start: str, month: str) -> list[int]:
        for number in range(Customer.objects.count(), customers):
            one = parties.make_customer(entity, f"c{number}")
            made.make_subscription(one, plan, f"sub{number}", at=instant(start))
            made.send(f"sub{number}", "requests", "2026-02-10", "2026-04-10")
        with CaptureQueriesContext(connection) as computed:
            row = rehearse(month, anna)
        sign(row, ben)
        with CaptureQueriesContext(connection) as billed:
            assert bill(row).invoices_count == customers
        return [len(computed), len(billed)]

    statements(2, "2026-01-01", JANUARY)
    few = statements(2, "2026-01-01", FEBRUARY)
    statements(8, "2026-03-01", "2026-04-01T00:10")
    many = statements(8, "2026-03-01", "2026-05-01T00:10")
    assert all(now <= before for now, before in zip(many, few, strict=True)), (few, many)


def test_a_parked_account_is_left_out_by_everything_that_bills_by_the_clock(
    customer: Customer, plan: PlanVersion, anna: Actor, ben: Actor
) -> None:
    customer.invoice_grace_period = 3
    customer.save()
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    run(JANUARY)
    assert Invoice.objects.get().status == "draft"
    parked = parked_accounts.park(
        customer_id=customer.pk, reason="Disputed.", until=date(2026, 3, 5), actor=anna, at=instant("2026-02-02")
    )

    assert invoices.finalize_due(as_of=instant("2026-02-10")).done == 0
    assert runs.run_scheduled(as_of=instant(FEBRUARY)) is None
    done = run(FEBRUARY)
    row = rehearse(FEBRUARY, anna)

    assert (done.status, done.invoices_count, done.failures_count) == ("succeeded", 0, 0)
    assert [(item.error_code, item.error) for item in BillingRunItem.objects.filter(run=done)] == [
        ("parked", "Disputed.")
    ]
    assert (row.parked_count, row.invoices_count, row.failures_count) == (1, 0, 0)
    with pytest.raises(parked_accounts.UnableToPark):
        parked_accounts.park(customer_id=customer.pk, reason="Again.", actor=anna, at=instant("2026-02-03"))
    assert parked_accounts.run(as_of=instant("2026-03-04T12:00")) == 0
    assert parked_accounts.run(as_of=instant("2026-03-05T12:00")) == 1
    parked.refresh_from_db()
    assert parked.released_label == "parked"
    signed = sign(row, ben)
    assert "The account was parked." in BillingRunItem.objects.get(run=bill(signed), customer=customer).error
    assert runs.run_scheduled(as_of=instant("2026-03-05T12:00")).invoices_count == 1


def test_a_rehearsal_goes_on_where_it_was_broken_off(
    customer: Customer, plan: PlanVersion, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [customer, *(parties.make_customer(customer.billing_entity, f"c{n}") for n in range(2, 6))]
    for number, one in enumerate(ids):
        made.make_subscription(one, plan, f"sub{number}", at=instant("2026-02-01"))
    monkeypatch.setattr(rehearsal_computing, "CHUNK", 2)
    row = rehearsals.request(as_of=instant(FEBRUARY), actor=anna, at=instant(FEBRUARY))
    seen: list[int] = []

    def killed(done: int, total: int) -> None:
        seen.append(done)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearsal_computing.compute(rehearsal_id=row.pk, at=instant(FEBRUARY), progress=killed)
    row.refresh_from_db()
    assert (row.state, row.customers_done) == ("running", 4)

    assert rehearsal_computing.run(as_of=instant("2026-03-01T01:00")) == 1

    row.refresh_from_db()
    assert (row.state, row.customers_done, row.customers_total, row.invoices_count) == ("ready", 5, 5, 5)
    assert seen == [0, 2, 4]
    assert RehearsedInvoice.objects.count() == 5
    assert rehearsal_computing.run(as_of=instant("2026-03-01T01:00")) == 0


def test_outliers_are_flagged_with_their_figures(
    customer: Customer, plan: PlanVersion, requests: BillableMetric, anna: Actor
) -> None:
    silent = parties.make_customer(customer.billing_entity, "c2")
    usage_only = goods.make_plan("usage", cents=0, charges=[goods.standard(requests, "1")])
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.make_subscription(silent, usage_only, "sub2", at=instant("2025-11-01"))
    for month in ("2025-11", "2025-12", "2026-01"):
        made.send("sub2", "requests", f"{month}-05", f"{month}-06")
    for moment in ("2025-12-01T00:10", "2026-01-01T00:10", JANUARY):
        run(moment)
    made.send("sub", "requests", *[f"2026-02-0{day}T0{hour}:00" for day in range(1, 8) for hour in range(10)][:64])
    outlier_rules.restore_defaults(actor=ACTOR, at=instant(FEBRUARY))
    outlier_rules.update(
        rule_id=OutlierRule.objects.get(kind="times_more").pk,
        values=outlier_rules.RuleValues("Dear", "times_more", Decimal("1.2")),
        actor=ACTOR,
        at=instant(FEBRUARY),
    )

    row = rehearse(FEBRUARY, anna)

    found = {one.customer.external_id: one for one in known.invoices(rehearsal_id=row.pk)}
    # 31.00 + 64 × 0.10 = 37.40 of 31.00
    assert known.flags(found["c1"]) == ["37.40 EUR is 1.2 times last period's 31.00 EUR."]
    nothing = found["c2"]
    assert nothing.error_code == "nothing_to_bill"
    # 2.00 and 19 % of it
    assert (nothing.total_amount.amount, nothing.previous_amount.amount) == (Decimal(0), Decimal("2.38"))
    assert nothing.causes == {"quantity": -200, "tax": -38}
    assert known.flags(nothing) == [
        "No usage where there was some in each of the last 3 periods: Requests (2 / 2 / 2)."
    ]
    assert (row.flagged_count, row.invoices_count, row.failures_count) == (2, 1, 0)
    (sums,) = known.sums(rehearsal_id=row.pk)
    # 44.51 − 36.89 − 2.38: 37.40 × 1.19 = 44.506, 31.00 × 1.19 = 36.89
    assert (sums.total.amount, sums.previous.amount) == (Decimal("44.51"), Decimal("39.27"))
    assert sum(amount.amount for amount in sums.causes.values()) == sums.difference.amount == Decimal("5.24")


def test_a_day_to_come_is_rehearsed_with_all_that_is_agreed_until_then(
    customer: Customer, plan: PlanVersion, requests: BillableMetric, anna: Actor
) -> None:
    ahead = goods.make_plan("ahead", cents=5000, pay_in_advance=True, trial_period=Decimal(10))
    made.make_subscription(customer, plan, at=instant("2026-02-01"))
    made.make_subscription(customer, ahead, "trial", at=instant("2026-02-12"))
    discounts.give(customer, at=instant("2026-02-12"), amount_cents=600)
    made.send("sub", "requests", "2026-02-10")
    before = fingerprint()

    row = rehearse(FEBRUARY, anna, at="2026-02-15T12:00")

    assert fingerprint() == before
    (found,) = known.invoices(rehearsal_id=row.pk)
    labels = sorted((line.now.subscription, line.now.kind, line.now.amount_minor) for line in known.lines(found))
    # The trial ends on 22 February and its fee is billed then, by itself; the run bills the month that begins.
    assert labels == [("sub", "charge", 10), ("sub", "subscription", 3100), ("trial", "subscription", 5000)]
    assert row.failures_count == 0


def test_an_installation_may_demand_that_runs_are_signed_off(
    customer: Customer, plan: PlanVersion, anna: Actor, ben: Actor
) -> None:
    made.make_subscription(customer, plan, at=instant("2026-02-01"))
    installation.set_billing_needs_sign_off(needed=True, actor=ACTOR, at=instant("2026-02-01"))

    assert run_starts.scheduled(as_of=instant(FEBRUARY)) is None
    assert run_starts.scheduled(as_of=instant(FEBRUARY)) is None
    with pytest.raises(run_starts.SignOffRequired):
        run_starts.started(as_of=instant(FEBRUARY), trigger="by hand", actor=anna)
    row = Rehearsal.objects.get()
    assert (row.state, row.requested_label, row.requested_by) == ("waiting", "billing", None)
    rehearsal_computing.run(as_of=instant("2026-03-01T00:20"))
    assert run_starts.scheduled(as_of=instant("2026-03-01T01:10")) is None
    assert not Invoice.objects.exists()
    row.refresh_from_db()
    sign(row, ben)

    done = run_starts.scheduled(as_of=instant("2026-03-01T02:10"))

    assert done is not None
    assert (done.as_of, done.invoices_count) == (instant(FEBRUARY), 1)
    assert run_starts.scheduled(as_of=instant("2026-03-01T03:10")) is None
    assert Rehearsal.objects.count() == 1


def test_whoever_knows_the_key_that_asked_is_no_second_person(
    customer: Customer, plan: PlanVersion, anna: Actor, ben: Actor
) -> None:
    made.make_subscription(customer, plan, "sub", at=instant("2026-01-01"))
    key = api_keys.create(name="ERP", actor=anna, at=instant(JANUARY)).key
    assert key.known_to == [anna.user_id]
    asker = Actor(kind="api_key", label="ERP", behind=tuple(key.known_to))
    row = rehearse(JANUARY, asker)
    assert (row.requested_by_id, row.behind) == (None, [anna.user_id])
    with pytest.raises(rehearsals.UnableToSignOff, match="yours"):
        sign(row, anna)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rehearsal.objects.filter(pk=row.pk).update(
            state="signed_off", signed_off_by=anna.user_id, signed_off_at=instant(JANUARY)
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Rehearsal.objects.filter(pk=row.pk).update(behind=[])
    key = api_keys.rotate(api_key_id=key.pk, actor=ben, at=instant(JANUARY)).key
    assert key.known_to == sorted([anna.user_id, ben.user_id])
    assert sign(row, ben).signed_off_by_id == ben.user_id  # what was asked before he knew it


def test_the_audit_trail_has_the_time_at_which_it_was_billed(
    customer: Customer, plan: PlanVersion, anna: Actor, ben: Actor
) -> None:
    made.make_subscription(customer, plan, "sub", at=instant("2026-01-01"))
    row = sign(rehearse(JANUARY, anna), ben)
    later = row.as_of + timedelta(days=3)
    run = rehearsal_billing.bill(rehearsal_id=row.pk, actor=ben, at=later)
    assert (run.as_of, run.created_at, run.invoices_count) == (row.as_of, later, 1)
    assert run.finished_at is not None
    assert run.finished_at >= later
    invoice = run.items.get().invoice
    assert invoice is not None
    about = AuditEntry.objects.filter(Q(object_type="billing.billingrun") | Q(object_type="invoicing.invoice"))
    assert about.count() >= 2
    assert not about.filter(at__lt=later).exists()
    assert invoice.created_at == row.as_of  # what is billed has the clock that was rehearsed


def test_one_that_was_broken_off_is_taken_up_again(
    customer: Customer, plan: PlanVersion, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.make_subscription(customer, plan, "sub", at=instant("2026-01-01"))
    at = instant(JANUARY)
    row = rehearsals.request(as_of=at, actor=anna, at=at)
    with pytest.raises(rehearsal_states.InvalidRehearsalState):
        rehearsals.retake(rehearsal_id=row.pk, actor=anna, at=at)
    with monkeypatch.context() as broken:
        broken.setattr(rehearsal_plays, "of_customers", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rehearsal_computing.compute(rehearsal_id=row.pk, at=at)
    row.refresh_from_db()
    assert (row.state, rehearsal_computing.run(as_of=at)) == ("failed", 0)
    assert rehearsals.retake(rehearsal_id=row.pk, actor=anna, at=at).state == "waiting"
    assert rehearsal_computing.run(as_of=at) == 1
    row.refresh_from_db()
    assert (row.state, row.invoices_count, row.error) == ("ready", 1, "")
