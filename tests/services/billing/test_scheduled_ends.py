"""Ends that are agreed on ahead: at the end of the period or with a day, with each choice, moved, and called off."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from billing.domain import chosen_times
from billing.domain.chosen_times import ChosenTime
from billing.domain.plan_changes import PlanChangeConflict
from billing.domain.terms import InvalidTerms
from billing.models import Subscription
from billing.services import plan_changes, subscription_moves, subscription_updates, terminations
from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import BillingEntity, Customer
from invoicing.models import CreditNote, Invoice
from invoicing.services import payments
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import amounts, begin, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

PERIOD_END = chosen_times.PERIOD_END
AGREED_ON = instant("2026-01-10T12:00")


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


def on(text: str) -> ChosenTime:
    return chosen_times.on(date.fromisoformat(text))


def agree(subscription: Subscription, when: ChosenTime, **values: Any) -> Subscription:
    return terminations.schedule(
        subscription_id=subscription.pk, when=when, actor=ACTOR, at=values.pop("at", AGREED_ON), **values
    )


def pass_days(*days: str) -> None:
    for day in days:
        run(day)
        subscription_moves.terminate_ended(as_of=instant(day))


@pytest.mark.parametrize("pay_in_advance", [False, True])
@pytest.mark.parametrize(
    ("when", "ending_at", "arrears", "given_back"),
    [
        (PERIOD_END, instant("2026-02-01"), "31", None),
        # 31.00 × 20 / 31 used; 11 days come back
        (on("2026-01-20"), datetime.fromisoformat("2026-01-20T23:59:59.999999+00:00"), "20", 11),
        (on("2026-01-31"), datetime.fromisoformat("2026-01-31T23:59:59.999999+00:00"), "31", None),
    ],
)
def test_an_end_costs_up_to_its_day(
    customer: Customer,
    when: ChosenTime,
    ending_at: datetime,
    arrears: str,
    given_back: int | None,
    pay_in_advance: bool,
) -> None:
    plan = goods.make_plan("plan", cents=3100, pay_in_advance=pay_in_advance)
    first = begin(customer, plan, "2026-01-01")

    found = agree(first, when)

    assert (found.status, found.ending_at) == ("active", ending_at)
    assert AuditEntry.objects.filter(verb="schedule_termination").count() == 1
    pass_days("2026-01-20T12:00", "2026-01-21", "2026-02-01", "2026-03-01")
    row = Subscription.objects.get()
    assert (row.status, row.terminated_at) == ("terminated", ending_at)
    assert amounts(customer) == ["plan 31" if pay_in_advance else f"plan {arrears}"]
    notes = [note.total_amount.amount for note in CreditNote.objects.all()]
    assert notes == ([given_back] if pay_in_advance and given_back else [])


@pytest.mark.parametrize("invoice", ["generate", "skip"])
@pytest.mark.parametrize(
    ("option", "ways"),
    [("credit", (11, 0, 0)), ("refund", (0, 11, 0)), ("offset", (0, 11, 0)), ("skip", None)],
)
def test_what_is_chosen_goes_for_the_agreed_end(
    customer: Customer, option: str, invoice: str, ways: tuple[int, ...] | None
) -> None:
    first = begin(customer, goods.make_plan("plan", cents=3100, pay_in_advance=True), "2026-01-01")
    paid = Invoice.objects.get()
    payments.record(
        invoice_id=paid.pk,
        amount=paid.total_amount,
        reference="wire",
        paid_at=instant("2026-01-05"),
        actor=ACTOR,
        at=instant("2026-01-05"),
    )

    agree(first, on("2026-01-20"), on_termination_credit_note=option, on_termination_invoice=invoice)
    pass_days("2026-01-21")

    notes = [
        (note.credit_amount.amount, note.refund_amount.amount, note.offset_amount.amount)
        for note in CreditNote.objects.all()
    ]
    assert notes == ([] if ways is None else [ways])
    assert Invoice.objects.count() == (2 if invoice == "generate" else 1)


@pytest.mark.parametrize(("invoice", "billed"), [("generate", ["plan 20"]), ("skip", [])])
def test_in_arrears_the_last_invoice_can_be_left_out(customer: Customer, invoice: str, billed: list[str]) -> None:
    first = begin(customer, goods.make_plan("plan", cents=3100), "2026-01-01")

    agree(first, on("2026-01-20"), on_termination_invoice=invoice)
    pass_days("2026-01-21", "2026-02-01")

    assert amounts(customer) == billed
    assert Subscription.objects.get().status == "terminated"


def test_unused_time_cannot_be_agreed_on_in_arrears(customer: Customer) -> None:
    first = begin(customer, goods.make_plan("plan", cents=3100), "2026-01-01")

    with pytest.raises(InvalidTerms) as refusal:
        agree(first, on("2026-01-20"), on_termination_credit_note="refund")

    assert refusal.value.details == {"on_termination_credit_note": ["value_must_be_blank"]}
    assert Subscription.objects.get().ending_at is None


def test_now_ends_it_and_a_past_day_is_refused(customer: Customer) -> None:
    first = begin(customer, goods.make_plan("plan", cents=3100), "2026-01-01")

    with pytest.raises(InvalidTerms) as refusal:
        agree(first, on("2026-01-09"))
    assert refusal.value.details == {"terminate_at": ["invalid_date"]}
    assert agree(first, chosen_times.NOW).status == "terminated"
    with pytest.raises(errors.NotAllowed) as late:
        agree(first, on("2026-01-20"))
    assert late.value.code == "subscription_not_active"
    assert amounts(customer) == ["plan 10"]


def test_an_end_is_moved_and_called_off(customer: Customer) -> None:
    first = begin(customer, goods.make_plan("plan", cents=3100), "2026-01-01")
    agree(first, on("2026-01-20"))
    agree(first, on("2026-01-25"))
    pass_days("2026-01-21")
    assert not Invoice.objects.exists()

    found = terminations.call_off(subscription_id=first.pk, actor=ACTOR, at=instant("2026-01-22"), reason="They stay.")

    assert (found.status, found.ending_at) == ("active", None)
    assert AuditEntry.objects.get(verb="call_off_termination").reason == "They stay."
    pass_days("2026-01-26", "2026-02-01")
    assert amounts(customer) == ["plan 31"]
    with pytest.raises(errors.NotAllowed) as refusal:
        terminations.call_off(subscription_id=first.pk, actor=ACTOR, at=instant("2026-02-02"))
    assert refusal.value.code == "no_agreed_end"


def test_an_end_that_has_come_cannot_be_called_off(customer: Customer) -> None:
    first = begin(customer, goods.make_plan("plan", cents=3100), "2026-01-01")
    agree(first, on("2026-01-20"))

    with pytest.raises(errors.NotAllowed):
        terminations.call_off(subscription_id=first.pk, actor=ACTOR, at=instant("2026-01-21"))
    pass_days("2026-01-21T01:00")

    assert amounts(customer) == ["plan 20"]


@pytest.mark.parametrize(
    ("target", "option", "kept"), [("advance", "refund", "refund"), ("arrears", "refund", ""), ("advance", None, "")]
)
def test_a_change_that_waits_takes_the_end_over(customer: Customer, target: str, option: str | None, kept: str) -> None:
    first = begin(customer, goods.make_plan("big", cents=6200, pay_in_advance=True), "2026-01-01")
    small = goods.make_plan("small", cents=3100, pay_in_advance=target == "advance")
    begin(customer, small, "2026-01-05")

    agree(first, on("2026-02-14"), on_termination_credit_note=option, on_termination_invoice="skip")

    waiting = plan_changes.pending(first)
    assert waiting is not None
    assert (waiting.ending_at, waiting.on_termination_invoice, waiting.on_termination_credit_note) == (
        datetime.fromisoformat("2026-02-14T23:59:59.999999+00:00"),
        "skip",
        kept,
    )
    pass_days("2026-02-01", "2026-02-15")
    assert {row.status for row in Subscription.objects.all()} == {"terminated"}
    # 31.00 × 14 / 28 come back of the month paid in advance; without a last invoice nothing is billed in arrears.
    notes = [(note.sub_total_amount.amount, note.credit_amount.amount) for note in CreditNote.objects.all()]
    assert notes == ([(15.5, 15.5)] if target == "advance" else [])


@pytest.mark.parametrize("verb", ["schedule", "call_off", "terminate", "update"])
def test_what_was_decided_by_something_else_is_refused(customer: Customer, verb: str) -> None:
    first = begin(customer, goods.make_plan("plan", cents=3100), "2026-01-01", ending_at=instant("2026-03-01"))
    seen = plan_changes.state_of(first)
    subscription_updates.update(
        subscription_id=first.pk, changes={"purchase_order_number": "PO-1"}, actor=ACTOR, at=instant("2026-01-02")
    )
    common: dict[str, Any] = {"subscription_id": first.pk, "seen": seen, "actor": ACTOR, "at": AGREED_ON}
    verbs = {
        "schedule": lambda: terminations.schedule(when=PERIOD_END, **common),
        "call_off": lambda: terminations.call_off(**common),
        "terminate": lambda: terminations.terminate(**common),
        "update": lambda: subscription_updates.update(changes={"name": "Other"}, **common),
    }

    with pytest.raises(PlanChangeConflict) as refusal:
        verbs[verb]()

    assert refusal.value.code == "subscription_changed"
    row = Subscription.objects.get()
    assert (row.status, row.name, row.ending_at) == ("active", "", instant("2026-03-01"))


def test_billing_makes_no_other_state(customer: Customer) -> None:
    first = begin(customer, goods.make_plan("plan", cents=3100), "2026-01-01")
    seen = plan_changes.state_of(first)

    run("2026-02-01")

    first.refresh_from_db()
    assert plan_changes.state_of(first) == seen
    assert (
        terminations.terminate(subscription_id=first.pk, seen=seen, actor=ACTOR, at=instant("2026-02-10")).status
        == "terminated"
    )
