"""The late usage inbox and the page of an event in the admin."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from billing.admin import usage_events
from billing.models import EventCorrection, LateUsage, Subscription, UsageEvent
from billing.services import late_usage, runs
from catalog.services import plans
from config.platform.models import Installation
from tests.factories import advance
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

INBOX = "/admin/billing/lateusage/"


@pytest.fixture
def entry() -> LateUsage:
    """January of one event is billed, another one came late."""
    cache.clear()
    plan = goods.make_plan("pro", cents=0, charges=[goods.standard(goods.make_metric("requests"), "1.5")])
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10")
    runs.run(as_of=instant("2026-02-01T00:10"), trigger="test", actor=ACTOR)
    made.send("sub", "requests", "2026-01-20")
    late_usage.run(as_of=instant("2026-02-02"))
    return LateUsage.objects.get()


def test_the_inbox_is_empty_at_first(admin_client: Client) -> None:
    assert "No late usage" in admin_client.get(INBOX).content.decode()


def test_an_entry_shows_its_money_and_is_decided_once(admin_client: Client, entry: LateUsage) -> None:
    page = admin_client.get(f"{INBOX}?state=held").content.decode()
    assert "€1.50" in page
    assert (
        "Computed again from the stored inputs: €1.50."
        in admin_client.get(f"{INBOX}{entry.pk}/change/").content.decode()
    )
    address = f"{INBOX}{entry.pk}/waive/"
    assert "€1.50" in admin_client.get(address).content.decode()
    assert LateUsage.objects.get().state == "held"  # looking changes nothing
    assert admin_client.post(address, {"reason": "Agreed."}).status_code == 302
    assert LateUsage.objects.get().state == "waived"
    again = admin_client.post(f"{INBOX}{entry.pk}/bill/", {"reason": "Again."}, follow=True)
    assert "decided already" in again.content.decode()
    assert LateUsage.objects.get().state == "waived"


def test_many_entries_are_decided_at_once(admin_client: Client, entry: LateUsage) -> None:
    done = admin_client.post(f"{INBOX}bulk/bill/", {"ids": f"{entry.pk},999", "reason": "Agreed."})
    assert "€1.50 will be on the next invoice." in done.content.decode()
    assert LateUsage.objects.get().state == "to_bill"


def test_policies_are_set(admin_client: Client, entry: LateUsage) -> None:
    refused = admin_client.post(f"{INBOX}policy/", {"late_usage_policy": "waive"})
    assert refused.status_code == 200
    assert not Installation.objects.filter(late_usage_policy="waive").exists()
    values = {"late_usage_policy": "waive", "late_usage_waive_below": "2.50"}
    assert admin_client.post(f"{INBOX}policy/", values).status_code == 302
    assert Installation.objects.get().late_usage_policy == "waive"
    own = f"/admin/billing/subscription/{entry.subscription_id}/late_usage_policy/"
    assert admin_client.post(own, {"late_usage_policy": "bill"}).status_code == 302
    assert Subscription.objects.get().late_usage_policy == "bill"


def test_an_event_is_withdrawn_with_a_reason(admin_client: Client, entry: LateUsage) -> None:
    event = UsageEvent.objects.get(timestamp=instant("2026-01-20"))
    page = f"/admin/billing/usageevent/{quote(usage_events.address(event))}"
    assert "It was never corrected." in admin_client.get(f"{page}/change/").content.decode()
    assert admin_client.post(f"{page}/withdraw/", {"reason": ""}).status_code == 200
    assert EventCorrection.objects.count() == 0
    assert admin_client.post(f"{page}/withdraw/", {"reason": "A test."}).status_code == 302
    shown = admin_client.get(f"{page}/change/").content.decode()
    assert "A correction took it out of the usage." in shown
    assert "A test." in shown
    late_usage.run(as_of=instant("2026-02-03"))
    assert LateUsage.objects.get().state == "no_effect"


@pytest.mark.parametrize("name", ["x", "1", "2026-01-20~x", "~", "2026-01-20T00:00:00+00:00~" + "0" * 32])
def test_what_is_no_event_leads_to_the_list(admin_client: Client, name: str) -> None:
    for action in ("change", "withdraw", "history"):
        answer = admin_client.get(f"/admin/billing/usageevent/{quote(name)}/{action}/", follow=True)
        assert answer.redirect_chain[-1][0].endswith("/admin/billing/usageevent/")


def test_late_usage_of_a_time_of_nothing_names_no_invoice(admin_client: Client) -> None:
    plan = goods.make_plan("free", cents=0, charges=[goods.standard(goods.make_metric("requests"), "1.5")])
    subscription = made.make_subscription(parties.make_customer(parties.make_entity()), plan, at=instant("2026-01-01"))
    runs.run(as_of=instant("2026-02-01T00:10"), trigger="test", actor=ACTOR)
    made.send("sub", "requests", "2026-01-20")
    late_usage.look(at=instant("2026-02-02"))
    told = admin_client.get(INBOX).content.decode()
    assert "Billed periods with new events that are still to be looked at: 1." in told
    late_usage.run(as_of=instant("2026-02-02"))
    row = LateUsage.objects.get()
    assert "nothing was to be billed" in admin_client.get(f"{INBOX}{row.pk}/change/").content.decode()
    page = admin_client.get(f"/admin/billing/subscription/{subscription.pk}/change/").content.decode()
    assert "nothing to bill" in page


def test_withdrawing_what_was_billed_in_advance_names_the_fee(admin_client: Client) -> None:
    advance.make_subscription(advance.make_plan(goods.make_metric("requests")), at="2026-01-01")
    made.send("sub", "requests", "2026-01-20")
    event = UsageEvent.objects.get()
    page = f"/admin/billing/usageevent/{quote(usage_events.address(event))}/withdraw/"
    assert "It was billed in advance" not in admin_client.get(page).content.decode()
    advance.bill("2026-01-20T01:00")
    assert "It was billed in advance: €3.00 (a fee of its own)." in admin_client.get(page).content.decode()


def test_usage_that_was_billed_before_its_price_came_is_told(admin_client: Client) -> None:
    cache.clear()
    address = "/admin/billing/usageevent/"
    with time_machine.travel(instant("2026-02-02"), tick=False):
        plan = goods.make_plan("pro", cents=500)
        made.make_subscription(parties.make_customer(parties.make_entity()), plan, at=instant("2026-01-01"))
        made.send("sub", "calls", "2026-01-20", "2026-02-01T10:00")
        runs.run(as_of=instant("2026-02-02"), trigger="test", actor=ACTOR)
        metric = goods.make_metric("calls")
        found = admin_client.get(address).content.decode()
        assert found.count("No charge of the plan counts it") == 2
        assert "Billed before its price" not in found.split("<table")[0].partition("Not billable yet")[2]
        plans.add_charge(code="pro", values=goods.standard(metric), actor=ACTOR, at=instant("2026-02-02"))
        cache.clear()
        found = admin_client.get(f"{address}?match=price").content.decode()
        assert "Not billable yet, of the last sixty days" in admin_client.get(f"{address}counts/").content.decode()
        assert found.count("not billed: its time was billed before its price came") == 1
        assert "No charge of the plan counts it" not in found
        event = UsageEvent.objects.get(timestamp=instant("2026-01-20"))
        page = admin_client.get(f"{address}{quote(usage_events.address(event))}/change/").content.decode()
    assert "Not billed: its time was billed before its price came." in page


def test_usage_of_a_time_that_is_passed_over_is_told(admin_client: Client) -> None:
    cache.clear()
    plan = goods.make_plan("pro", cents=0, charges=[goods.standard(goods.make_metric("requests"), "1.5")])
    with time_machine.travel(instant("2026-02-02"), tick=False):
        made.make_subscription(
            parties.make_customer(parties.make_entity()), plan, at=instant("2026-02-02"),
            subscription_at=instant("2026-01-01"),
        )  # fmt: skip
        made.send("sub", "requests", "2026-01-20", "2026-02-01")
        found = admin_client.get("/admin/billing/usageevent/?match=time").content.decode()
    assert "Time not billed" in found
    assert found.count("time not billed") == 1
