"""Changing the plan of a subscription in the admin: what is shown first, what is done then, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Subscription
from catalog.models import Plan
from config.platform.models import AuditEntry
from invoicing.models import CreditNote, Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db

AT = instant("2026-01-16T10:00")


@pytest.fixture
def subscription() -> Subscription:
    customer = parties.make_customer(parties.make_entity())
    plans = {
        code: goods.make_plan(code, cents=cents, pay_in_advance=True)
        for code, cents in (("small", 3100), ("big", 6200), ("tiny", 100))
    }
    return made.make_subscription(customer, plans["small"], at=instant("2026-01-01"))


def address(subscription: Subscription, verb: str) -> str:
    return f"/admin/billing/subscription/{subscription.pk}/{verb}/"


def ask(client: Client, subscription: Subscription, code: str) -> tuple[Any, dict[str, str]]:
    """Open the page, choose a plan and press the button once."""
    page = client.get(address(subscription, "change_plan"))
    content = {
        "plan": str(Plan.objects.get(code=code).pk),
        "reason": "They grow",
        "seen": page.context["form"]["seen"].value(),
    }
    shown = client.post(address(subscription, "change_plan"), content)
    return shown, content


def made_of(subscription: Subscription) -> tuple[int, int, int]:
    """Count the subscriptions, invoices and credit notes of the customer."""
    mine = {"customer_id": subscription.customer_id}
    return tuple(model.objects.filter(**mine).count() for model in (Subscription, Invoice, CreditNote))


def text(response: Any) -> str:
    return " ".join(str(block) for block in response.context["blocks"])


def test_an_upgrade_is_weighed_and_then_done(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        shown, content = ask(finance, subscription, "big")

        assert shown.status_code == 200
        assert "This is an upgrade: Big begins now." in text(shown)
        # 62.00 × 16 / 31 less a credit of 31.00 × 16 / 31
        assert "€32.00" in text(shown)
        assert "€16.00" in text(shown)
        assert made_of(subscription) == (1, 1, 0)

        done = finance.post(address(subscription, "change_plan"), content | {"weighed": shown.context["weighed"]})

    assert done.status_code == 302
    assert Subscription.objects.get(external_id="sub", status="active").plan_version.plan.code == "big"
    assert made_of(subscription) == (2, 2, 1)
    told = AuditEntry.objects.filter(object_type="billing.subscription", reason="They grow")
    assert sorted(told.values_list("verb", flat=True)) == ["activate", "terminate"]


def test_other_values_are_weighed_anew(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        shown, content = ask(finance, subscription, "big")
        content |= {"plan": str(Plan.objects.get(code="tiny").pk), "weighed": shown.context["weighed"]}
        again = finance.post(address(subscription, "change_plan"), content)

    assert again.status_code == 200
    assert "This is a downgrade: Tiny follows on 1 Feb 2026" in text(again)
    assert made_of(subscription) == (1, 1, 0)


def test_a_downgrade_can_be_called_off(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        shown, content = ask(finance, subscription, "tiny")
        finance.post(address(subscription, "change_plan"), content | {"weighed": shown.context["weighed"]})
        page = finance.get(address(subscription, "change")).context["page"]
        assert "Tiny from 1 Feb 2026" in str(page.top)
        assert "Tiny is to follow on 1 Feb 2026" in text(finance.get(address(subscription, "cancel_change")))
        finance.post(address(subscription, "cancel_change"), {"reason": "They stay"})
        refused = finance.get(address(subscription, "cancel_change"))

    assert refused.status_code == 302
    rows = Subscription.objects.filter(external_id="sub")
    assert sorted(rows.values_list("status", flat=True)) == ["active", "canceled"]
    assert AuditEntry.objects.get(object_type="billing.subscription", verb="cancel").reason == "They stay"


def test_a_page_that_is_out_of_date_changes_nothing(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        shown, content = ask(finance, subscription, "big")
        waiting = made.make_subscription(
            subscription.customer, Plan.objects.get(code="tiny").versions.get(), at=instant("2026-01-16T09:00")
        )
        done = finance.post(address(subscription, "change_plan"), content | {"weighed": shown.context["weighed"]})

    assert waiting.pk == subscription.pk
    assert done.status_code == 200
    assert "changed by somebody else" in str(done.context["form"].non_field_errors())
    assert not Subscription.objects.filter(plan_version__plan__code="big").exists()


def test_the_end_shows_what_becomes_of_unused_time(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        shown = finance.get(address(subscription, "terminate"))
        assert "What becomes of time that was paid in advance" in text(shown)
        assert "€15.00" in text(shown)
        assert Subscription.objects.get(external_id="sub").status == "active"
        content = {"on_termination_invoice": "generate", "on_termination_credit_note": "offset", "reason": "Moved away"}
        weighed = finance.post(address(subscription, "terminate"), content)
        assert Subscription.objects.get(external_id="sub").status == "active"
        finance.post(address(subscription, "terminate"), content | {"weighed": weighed.context["weighed"]})

    assert CreditNote.objects.get().offset_amount.amount == 15
