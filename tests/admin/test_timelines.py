"""The time line of a subscription in the admin: what is said, what it costs, the next invoices, the menu of verbs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.domain import chosen_times
from billing.models import BillingRun, Subscription
from billing.queries import timeline_plans, timelines
from billing.services import plan_changes, subscription_plans, terminations
from invoicing.models import Invoice
from tests.admin.conftest import signed_in
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.pause_stories import pause, resume
from tests.factories.plan_stories import run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-03-20T12:00")


@pytest.fixture
def subscription() -> Subscription:
    """Started on "small", moved to "big" in February, paused and resumed in March, back to "small" in April."""
    customer = parties.make_customer(parties.make_entity())
    small = goods.make_plan("small", cents=3100)
    goods.make_plan("big", cents=6200)
    begun = made.make_subscription(customer, small, at=instant("2026-01-01"))
    run("2026-02-01T12:00")
    change(begun, "big", at="2026-02-15T12:00")
    run("2026-03-01T12:00")
    resume(pause(current(), "2026-03-05T12:00"), "2026-03-10T12:00")
    change(current(), "small", at="2026-03-15T12:00", on=date(2026, 4, 15))
    return current()


def current() -> Subscription:
    return Subscription.objects.get(external_id="sub", status="active")


def change(subscription: Subscription, code: str, *, at: str, on: date | None = None) -> None:
    subscription_plans.change_plan(
        subscription_id=subscription.pk,
        plan_code=code,
        seen=plan_changes.state_of(subscription),
        change_at=None if on is None else chosen_times.on(on),
        actor=ACTOR,
        at=instant(at),
        reason="As they asked",
    )


def page(client: Client, subscription: Subscription, query: str = "") -> Any:
    with time_machine.travel(AT, tick=False):
        answer = client.get(f"/admin/billing/subscription/{subscription.pk}/change/{query}")
    assert answer.status_code == 200
    return answer


def line(answer: Any) -> dict[str, Any]:
    blocks = answer.context["page"].tabs[0].blocks
    return next(dict(block.context) for block in blocks if "past" in getattr(block, "context", {}))


def titles(entries: Any) -> list[str]:
    return [str(entry["title"]) for entry in entries]


def test_the_whole_chain_is_told(finance: Client, subscription: Subscription) -> None:
    found = line(page(finance, subscription))
    assert titles(found["planned"]) == ["Big → Small"]
    assert [title for title in titles(found["past"]) if "Invoice" not in title] == [
        "Change from Big to Small scheduled",
        "Resumed: Big",
        "Paused",
        "Small → Big",
        "Started: Small",
        "Agreed: Small",
    ]
    assert any("fee €31.00 → €62.00" in entry["details"] for entry in found["past"])
    own = Invoice.objects.filter(billed_periods__subscription__external_id="sub").distinct().count()
    assert len([title for title in titles(found["past"]) if "Invoice" in title]) == own > 2


@pytest.mark.parametrize(
    ("query", "has_invoices", "has_changes"), [("?show=money", True, False), ("?show=changes", False, True)]
)
def test_a_filter_shows_its_own_alone(
    finance: Client, subscription: Subscription, query: str, has_invoices: bool, has_changes: bool
) -> None:
    found = titles(line(page(finance, subscription, query))["past"])
    assert any("Invoice" in title for title in found) == has_invoices
    assert ("Paused" in found) == has_changes


@pytest.mark.parametrize("query", ["?older=2", "?older=999999", "?older=x", "?show=nothing"])
def test_a_strange_address_is_no_error(finance: Client, subscription: Subscription, query: str) -> None:
    found = line(page(finance, subscription, query))
    assert found["older"] == ""


def test_the_next_invoices_have_an_address_of_their_own(finance: Client, subscription: Subscription) -> None:
    count = Invoice.objects.count()
    with time_machine.travel(AT, tick=False):
        answer = finance.get(f"/admin/billing/subscription/{subscription.pk}/upcoming/")
        refused = finance.post(f"/admin/billing/subscription/{subscription.pk}/upcoming/")
        missing = finance.get("/admin/billing/subscription/999999/upcoming/")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert [day in text for day in ("1 Apr 2026", "15 Apr 2026", "1 May 2026")] == [True, True, True]
    assert (refused.status_code, missing.status_code) == (405, 404)
    assert Invoice.objects.count() == count


def test_whoever_may_not_look_does_not(subscription: Subscription, company: Any) -> None:
    answer = signed_in("Nobody").get(f"/admin/billing/subscription/{subscription.pk}/upcoming/")
    assert answer.status_code == 403


def test_an_ended_subscription_has_no_next_invoices(finance: Client, subscription: Subscription) -> None:
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-03-18T12:00"))
    answer = page(finance, subscription)
    assert titles(line(answer)["past"])[1] == "Ended: Big"
    assert b"upcoming/" not in answer.content


def test_the_time_line_costs_the_same_however_long(subscription: Subscription) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            rows = timelines.chain(current())
            timelines.read(rows=rows, at=AT)
            timeline_plans.read(rows=rows, at=AT)
        return len(seen)

    few = cost()
    subscription_plans.cancel_change(subscription_id=current().pk, actor=ACTOR, at=instant("2026-03-16T12:00"))
    for day in ("17", "18"):
        resume(pause(current(), f"2026-03-{day}T12:00"), f"2026-03-{day}T18:00")
    assert len(timelines.chain(current())) == 6
    assert (cost(), few <= 17) == (few, True)


def test_verbs_beyond_the_bar_stand_in_a_menu(finance: Client, subscription: Subscription) -> None:
    answer = page(finance, subscription)
    shown = [button["title"] for button in answer.context["actions_page"]]
    hidden = [button["title"] for button in answer.context["actions_more"]]
    assert shown == ["Change plan", "Pause"]
    assert {"History", "Events", "Change terms", "Cancel scheduled change", "Agree own terms"} <= set(hidden)
    assert hidden[-1] == "Terminate"  # what takes something away comes last
    assert b"data-q-menu" in answer.content


def test_a_page_with_few_verbs_has_no_menu(finance: Client, subscription: Subscription) -> None:
    answer = finance.get(f"/admin/billing/billingrun/{BillingRun.objects.latest('pk').pk}/change/")
    assert answer.status_code == 200
    assert b"data-q-menu" not in answer.content
