"""Fixed charges on a subscription's page, and agreeing on another number there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import FixedChargeUnits, Subscription
from billing.services import fixed_changes
from config.platform.models import AuditEntry
from invoicing.models import Invoice
from invoicing.services import documents
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import fixed
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-03-11T12:00")


@pytest.fixture
def subscription() -> Subscription:
    customer = parties.make_customer(parties.make_entity())
    seats = fixed.standard(fixed.make_add_on("seat"), code="seats", pay_in_advance=True, prorated=True)
    support = fixed.standard(fixed.make_add_on("support"), "1", "50", code="support")
    plan = goods.make_plan("pro", cents=0, fixed_charges=[seats, support])
    return made.make_subscription(customer, plan, at=instant("2026-03-01"))


def url(subscription: Subscription, page: str) -> str:
    return f"/admin/billing/subscription/{subscription.pk}/{page}/"


def post(client: Client, subscription: Subscription, **changed: Any) -> Any:
    charge = subscription.plan_version.fixed_charges.get(code=changed.pop("code", "seats"))
    values = {"fixed_charge": charge.pk, "units": "15", "start": "now", "reason": "Five more people", **changed}
    with time_machine.travel(AT, tick=False):
        return client.post(url(subscription, "change_units"), values)


def told(page: Any) -> list[tuple[str, ...]]:
    tab = next(tab for tab in page.tabs if tab.title == "Fixed charges")
    return [tuple(str(cell) for cell in row.cells) for row in tab.blocks[0].rows]


def test_the_page_tells_units_and_what_comes_next(finance: Client, subscription: Subscription) -> None:
    fixed_changes.change(
        subscription_id=subscription.pk, code="support", units=Decimal(2), immediately=False, actor=ACTOR, at=AT
    )
    with time_machine.travel(AT, tick=False):
        rows = told(finance.get(url(subscription, "change")).context["page"])
    assert "10" in rows[0][1]
    assert rows[0][3:] == ("the plan's", "in advance", "standard, by days")
    assert "1" in rows[1][1]
    assert (rows[1][2], rows[1][3:5]) == ("2 from 1 Apr 2026", ("its own", "in arrears"))


def test_a_change_is_shown_in_money_before_it_is_made(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        assert finance.get(url(subscription, "change_units")).status_code == 200
    shown = post(finance, subscription)
    page = shown.content.decode()
    assert shown.status_code == 200
    assert "33.87" in page  # 5 × 21 / 31 = 3.387097 × 10
    assert Invoice.objects.filter(customer=subscription.customer).count() == 1

    weighed = shown.context["weighed"]
    done = post(finance, subscription, weighed=weighed)
    assert done.status_code == 302
    invoice = Invoice.objects.latest("pk")
    assert (invoice.status, str(invoice.fees_amount)) == ("finalized", "€33.87")
    assert AuditEntry.objects.get(verb="change_units").reason == "Five more people"
    assert finance.get(f"/admin/invoicing/invoice/{invoice.pk}/change/").status_code == 200
    assert documents.render(invoice_id=invoice.pk, at=AT).size > 0


def test_in_arrears_nothing_is_invoiced_now(finance: Client, subscription: Subscription) -> None:
    shown = post(finance, subscription, code="support")
    assert "Nothing is invoiced now" in shown.content.decode()
    post(finance, subscription, code="support", weighed=shown.context["weighed"])
    assert Invoice.objects.filter(customer=subscription.customer).count() == 1
    assert FixedChargeUnits.objects.filter(is_override=True).count() == 1


def test_without_fixed_charges_there_is_no_such_verb(finance: Client) -> None:
    customer = parties.make_customer(parties.make_entity())
    found = made.make_subscription(customer, goods.make_plan("bare"), at=instant("2026-03-01"))
    assert "Change units" not in finance.get(url(found, "change")).content.decode()
    assert finance.get(url(found, "change_units")).status_code == 302
