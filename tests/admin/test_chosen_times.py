"""Choosing in the admin when a change or an end takes effect, calling an end off, and changing terms."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Subscription
from billing.services import subscription_updates
from catalog.models import Plan
from config.platform.models import AuditEntry
from customers.models import InvoiceCustomSection
from invoicing.models import CreditNote, Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-01-16T10:00")


@pytest.fixture
def subscription() -> Subscription:
    customer = parties.make_customer(parties.make_entity())
    plans = {
        code: goods.make_plan(code, cents=cents, pay_in_advance=True)
        for code, cents in (("small", 3100), ("big", 6200))
    }
    return made.make_subscription(customer, plans["small"], at=instant("2026-01-01"))


def address(subscription: Subscription, verb: str) -> str:
    return f"/admin/billing/subscription/{subscription.pk}/{verb}/"


def text(response: Any) -> str:
    return " ".join(str(block) for block in response.context["blocks"])


def seen(client: Client, subscription: Subscription, verb: str) -> str:
    return str(client.get(address(subscription, verb)).context["form"]["seen"].value())


def press_twice(client: Client, subscription: Subscription, verb: str, content: dict[str, str]) -> tuple[str, Any]:
    """Weigh the values and do it; return what was shown in between, and the answer."""
    content = {"seen": seen(client, subscription, verb), "reason": "As agreed", **content}
    shown = client.post(address(subscription, verb), content)
    done = client.post(address(subscription, verb), content | {"weighed": shown.context["weighed"]})
    return text(shown), done


@time_machine.travel(AT, tick=False)
def test_a_change_on_a_day_shows_what_it_makes_then(finance: Client, subscription: Subscription) -> None:
    plan = str(Plan.objects.get(code="big").pk)

    shown, done = press_twice(finance, subscription, "change_plan", {"plan": plan, "when": "date", "day": "2026-01-20"})

    assert "This is an upgrade: Big follows on 20 Jan 2026, inside a period." in shown
    # 31.00 × 12 / 31 back, 62.00 × 12 / 31 for the rest, and a whole month after that
    for amount in ("€12.00", "€24.00", "€62.00", "The next invoice, of 1 Feb 2026"):
        assert amount in shown
    assert done.status_code == 302
    waiting = Subscription.objects.get(status="pending", external_id="sub")
    assert (waiting.change_date, waiting.change_timing) == (date(2026, 1, 20), "date")
    mine = {"customer": subscription.customer}
    assert (Invoice.objects.filter(**mine).count(), CreditNote.objects.filter(**mine).count()) == (1, 0)


@time_machine.travel(AT, tick=False)
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"when": "date", "day": ""}, "day"),
        ({"when": "now", "day": "2026-01-20"}, "when"),
        ({"when": "date", "day": "2026-01-16"}, "day"),
        ({"when": "soon", "day": ""}, "when"),
    ],
)
def test_a_time_that_cannot_be_meant_is_told_beside_its_field(
    finance: Client, subscription: Subscription, values: dict[str, str], field: str
) -> None:
    content = {"plan": str(Plan.objects.get(code="big").pk), "reason": "So", "seen": "", **values}
    content["seen"] = seen(finance, subscription, "change_plan")

    answer = finance.post(address(subscription, "change_plan"), content)

    assert answer.status_code == 200
    assert answer.context["form"].errors[field]
    assert Subscription.objects.filter(external_id="sub").count() == 1


@time_machine.travel(AT, tick=False)
def test_an_end_at_the_end_of_the_period_and_calling_it_off(finance: Client, subscription: Subscription) -> None:
    options = {"on_termination_invoice": "generate", "on_termination_credit_note": ""}

    shown, done = press_twice(finance, subscription, "terminate", {"when": "period_end", **options})

    assert "Would be billed on 1 Feb 2026" in shown
    assert done.status_code == 302
    subscription.refresh_from_db()
    assert (subscription.status, subscription.ending_at) == ("active", instant("2026-02-01"))
    page = finance.get(address(subscription, "call_off_end"))
    assert "1 Feb 2026" in text(page)
    content = {"reason": "They stay", "seen": page.context["form"]["seen"].value()}
    assert finance.post(address(subscription, "call_off_end"), content).status_code == 302
    subscription.refresh_from_db()
    assert subscription.ending_at is None
    assert finance.get(address(subscription, "call_off_end")).status_code == 302
    assert AuditEntry.objects.get(verb="call_off_termination").reason == "They stay"


@time_machine.travel(AT, tick=False)
def test_a_waiting_subscription_is_canceled(finance: Client, subscription: Subscription) -> None:
    later = made.make_subscription(
        subscription.customer, Plan.objects.get(code="big").versions.get(), "later", at=AT,
        subscription_at=instant("2026-03-01"),
    )  # fmt: skip

    shown, done = press_twice(
        finance, later, "terminate", {"on_termination_invoice": "generate", "on_termination_credit_note": ""}
    )

    assert "nothing is billed" in shown
    assert done.status_code == 302
    later.refresh_from_db()
    assert later.status == "canceled"


@time_machine.travel(AT, tick=False)
def test_terms_are_changed_and_shown(finance: Client, subscription: Subscription) -> None:
    content = {
        "name": "Main",
        "purchase_order_number": "PO-7",
        "consolidate_invoice": "",
        "reason": "Their purchasing asked",
        "seen": seen(finance, subscription, "change_terms"),
    }

    done = finance.post(address(subscription, "change_terms"), content)

    assert done.status_code == 302
    subscription.refresh_from_db()
    assert (subscription.name, subscription.purchase_order_number, subscription.consolidate_invoice) == (
        "Main",
        "PO-7",
        False,
    )
    assert AuditEntry.objects.filter(verb="change", reason="Their purchasing asked").count() == 1
    assert "PO-7" in finance.get(address(subscription, "change")).content.decode()


@time_machine.travel(AT, tick=False)
def test_who_bills_it_and_with_which_texts_is_chosen(finance: Client, subscription: Subscription) -> None:
    other = parties.make_entity("other", name="Other Ltd")
    text = InvoiceCustomSection.objects.create(code="own", name="House rules", details="Be kind.")
    kept = {"name": "", "purchase_order_number": "", "consolidate_invoice": "1", "reason": "Asked"}

    def choose(**content: Any) -> tuple[int | None, list[int] | None]:
        content["seen"] = seen(finance, subscription, "change_terms")
        assert finance.post(address(subscription, "change_terms"), {**kept, **content}).status_code == 302
        subscription.refresh_from_db()
        return subscription.billing_entity_id, subscription.custom_section_ids

    assert choose(billing_entity=other.pk, texts=[text.pk]) == (other.pk, [text.pk])
    page = finance.get(address(subscription, "change")).content.decode()
    assert "Other Ltd" in page
    assert "House rules" in page
    assert choose(skips_texts="1") == (None, [])
    assert choose() == (None, None)


@time_machine.travel(AT, tick=False)
@pytest.mark.parametrize("verb", ["terminate", "change_terms", "call_off_end"])
def test_a_page_that_is_out_of_date_changes_nothing(finance: Client, subscription: Subscription, verb: str) -> None:
    subscription_updates.update(
        subscription_id=subscription.pk, changes={"ending_at": instant("2026-06-01")}, actor=ACTOR, at=AT
    )
    before = seen(finance, subscription, verb)
    subscription_updates.update(
        subscription_id=subscription.pk, changes={"ending_at": instant("2026-07-01")}, actor=ACTOR, at=AT
    )
    content = {"seen": before, "reason": "So", "on_termination_invoice": "generate", "name": "Other"}

    answer = finance.post(address(subscription, verb), content)

    assert answer.status_code == 200
    assert "changed by somebody else" in str(answer.context["form"].non_field_errors())
    subscription.refresh_from_db()
    assert (subscription.status, subscription.name, subscription.ending_at) == ("active", "", instant("2026-07-01"))
