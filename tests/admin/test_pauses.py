"""Pausing and resuming in the admin: what is shown first, what is done then, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Subscription
from billing.services import pauses
from config.platform.models import AuditEntry
from invoicing.models import CreditNote, Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-01-10T12:00")


@pytest.fixture
def subscription() -> Subscription:
    customer = parties.make_customer(parties.make_entity())
    plan = goods.make_plan("gym", cents=3100, pay_in_advance=True)
    return made.make_subscription(customer, plan, at=instant("2026-01-01"))


def address(subscription: Subscription, verb: str) -> str:
    return f"/admin/billing/subscription/{subscription.pk}/{verb}/"


def made_of(subscription: Subscription) -> tuple[int, ...]:
    """Count the subscriptions, invoices and credit notes of the customer."""
    mine = {"customer_id": subscription.customer_id}
    return tuple(model.objects.filter(**mine).count() for model in (Subscription, Invoice, CreditNote))


def text(response: Any) -> str:
    return " ".join(str(block) for block in response.context["blocks"])


def ask(client: Client, subscription: Subscription) -> tuple[Any, dict[str, str]]:
    page = client.get(address(subscription, "pause"))
    content = {
        "fee": "prorated",
        "resume_on": "2026-02-01",
        "reason": "Holidays",
        "seen": page.context["form"]["seen"].value(),
    }
    return client.post(address(subscription, "pause"), content), content


def test_a_pause_is_shown_before_it_is_done(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        shown, content = ask(finance, subscription)
        assert "21.00" in text(shown)  # 31.00 × 21 / 31 would be credited
        assert made_of(subscription) == (1, 1, 0)

        done = finance.post(address(subscription, "pause"), content | {"weighed": shown.context["weighed"]})

    waiting = Subscription.objects.get(external_id="sub", status="paused")
    assert done.status_code == 302
    assert done.headers["Location"].endswith(f"/{waiting.pk}/change/")
    assert str(waiting.change_date) == "2026-02-01"
    assert made_of(subscription) == (2, 1, 1)
    assert AuditEntry.objects.filter(verb="pause", reason="Holidays").count() == 2


def test_a_resume_is_shown_before_it_is_done(finance: Client, subscription: Subscription) -> None:
    waiting = pauses.pause(subscription_id=subscription.pk, fee="prorated", actor=ACTOR, at=AT)
    with time_machine.travel(instant("2026-01-20T12:00"), tick=False):
        page = finance.get(address(waiting, "resume"))
        assert "12.00" in text(page)  # 31.00 × 12 / 31
        assert made_of(subscription) == (2, 1, 1)

        seen = page.context["form"]["seen"].value()
        finance.post(address(waiting, "resume"), {"reason": "Back", "seen": seen})

    waiting.refresh_from_db()
    assert waiting.status == "active"
    assert made_of(subscription) == (2, 2, 1)


def test_pages_tell_a_pause(finance: Client, subscription: Subscription) -> None:
    waiting = pauses.pause(
        subscription_id=subscription.pk, fee="whole", resume_on=instant("2026-03-01").date(), actor=ACTOR, at=AT
    )

    for row in (subscription, waiting):
        assert finance.get(address(row, "change")).status_code == 200
    listed = finance.get("/admin/billing/subscription/?status__exact=paused").content.decode()
    assert "resumes" in listed
    assert finance.get(address(waiting, "pause")).status_code == 302
    assert finance.get(address(subscription, "resume")).status_code == 302
    assert made_of(subscription) == (2, 1, 0)


def test_who_was_slower_is_told(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        _, content = ask(finance, subscription)
        pauses.pause(subscription_id=subscription.pk, fee="whole", actor=ACTOR, at=AT)
        answer = finance.post(address(subscription, "pause"), content)

    assert answer.status_code == 302
    assert Subscription.objects.get(external_id="sub", status="paused").pause_fee == "whole"
