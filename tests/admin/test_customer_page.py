"""The page of a customer: all that matters at a glance, the way to what is done for it, and at what cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from billing.models import Subscription
from config.platform.admin import glance
from config.platform.admin.glance import Glance, Line, Spark, Tile
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import overdue, payments
from tests.admin.conftest import NOW, Company, signed_in
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def address(customer: Customer) -> str:
    return f"/admin/customers/customer/{customer.pk}/change/"


def glance_of(answer: object) -> Glance:
    found: Glance = answer.context["page"].tabs[0].blocks[0]  # type: ignore[attr-defined]
    return found


def tile(found: Glance, label: str) -> Tile:
    return next(one for one in found.tiles if isinstance(one, Tile) and one.label == label)


def text(answer: object) -> str:
    return str(answer.content.decode()).replace("\xa0", " ")  # type: ignore[attr-defined]


@pytest.fixture
def buyer(company: Company) -> Customer:
    """A customer with an invoice that is late, one that is paid, and one in another currency."""
    customer = make.make_customer(
        make.make_entity("untaxed", net_payment_term=14), "buyer", currency="EUR", email="a@b.example"
    )
    late = make.issue(customer, "1200.00", at=NOW - timedelta(days=60))
    paid = make.issue(customer, "80.00", at=NOW - timedelta(days=50))
    make.issue(customer, "5000", at=NOW, currency="JPY", billed_at=NOW)
    for invoice, amount in ((late, "200.00"), (paid, "80.00")):
        payments.record(
            invoice_id=invoice.pk,
            amount=Money(amount, "EUR"),
            reference="wire",
            paid_at=NOW - timedelta(days=40),
            actor=company.actor,
            at=NOW,
        )
    overdue.mark(as_of=NOW)
    return customer


def test_the_account_is_told_at_a_glance(finance: Client, buyer: Customer) -> None:
    answer = finance.get(address(buyer))
    found = glance_of(answer)
    assert [line.text for line in tile(found, "Open").lines] == ["€1,000.00", "¥5,000"]  # its own currency first
    assert [line.text for line in tile(found, "Overdue").lines] == ["€1,000.00"]
    assert f"customer__id__exact={buyer.pk}&due=overdue" in tile(found, "Overdue").lines[0].url
    assert tile(found, "Last payment").lines[0].text == "€80.00"
    assert "pays in 10 days" in str(tile(found, "Last payment").hint)  # issued 50 days ago, paid 40 days ago
    assert [heading for heading, _ in found.columns] == ["Terms", "Taxes", "Contact", "Paying"]
    assert all(one.definition for one in found.tiles if isinstance(one, Tile))
    page = text(answer)
    assert "overdue" in page
    assert "Ask for payment" in page

    later = text(finance.get(f"/admin/invoicing/ledgerentry/customer/{buyer.pk}/balance/"))
    assert "€1,000.00" in later
    assert "€1,280.00 and ¥5,000 billed in all" in later


def test_usage_of_the_running_period_comes_after_the_page(finance: Client, company: Company) -> None:
    usage = f"/admin/billing/subscription/of-customer/{company.customers[0].pk}/usage/"
    assert usage in text(finance.get(address(company.customers[0])))
    piece = text(finance.get(usage))
    assert "Usage this period" in piece
    assert "expected by 31 May 2026" in piece
    assert "q-spark" in piece


def test_pieces_are_for_those_who_see_the_page(company: Company) -> None:
    key = company.customers[0].pk
    nobody, auditor = signed_in("Nobody"), signed_in("Auditor")
    for piece in (
        f"/admin/billing/subscription/of-customer/{key}/usage/",
        f"/admin/invoicing/ledgerentry/customer/{key}/balance/",
    ):
        assert nobody.get(piece).status_code == 403
        assert auditor.get(piece).status_code == 200
        assert auditor.post(piece).status_code == 405
        assert auditor.get(piece.replace(f"/{key}/", "/999999999/")).status_code == 404


def test_a_customer_with_nothing_says_what_to_do_next(finance: Client, company: Company) -> None:
    fresh = make.make_customer(company.customers[0].billing_entity, "fresh", name="")
    answer = finance.get(address(fresh))
    page = text(answer)
    assert "no address: nothing can be sent" in page
    assert "No subscription yet" in page
    assert "Record payment" not in page  # nothing is open
    assert glance_of(answer).name == "fresh"
    assert tile(glance_of(answer), "Open").lines == ()


def test_ways_lead_only_whom_they_are_for(company: Company, finance: Client, auditor: Client, buyer: Customer) -> None:
    shown = [button["title"] for button in finance.get(address(buyer)).context["actions_page"]]
    assert shown[-2:] == ["Record payment", "One-off invoice"]
    looking = auditor.get(address(buyer)).context
    every = [*looking["actions_detail"], *looking["actions_page"], *looking["actions_more"]]
    assert {button["title"] for button in every} <= {"History", "Statement"}


def test_the_page_costs_the_same_whatever_the_customer_has(finance: Client, buyer: Customer, company: Company) -> None:
    finance.get(address(buyer))

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            finance.get(address(buyer))
        return len(seen)

    few = cost()
    for number in range(4):
        invoice = make.issue(buyer, f"{number + 1}.00", at=NOW - timedelta(days=30 + number))
        payments.record(
            invoice_id=invoice.pk,
            amount=invoice.total_amount,
            reference=f"wire {number}",
            paid_at=NOW,
            actor=company.actor,
            at=NOW,
        )
    assert Invoice.objects.filter(customer=buyer).count() == 7
    assert (cost(), few <= 70) == (few, True)


def test_a_retired_customer_has_not_the_revenue_of_who_has_its_id_now(finance: Client, company: Company) -> None:
    running = Subscription.objects.filter(status="active").select_related("customer").first()
    assert running is not None
    old = make.make_customer(running.customer.billing_entity, "gone", currency="EUR")
    Customer.objects.filter(pk=old.pk).update(external_id=running.customer.external_id, deleted_at=NOW)

    own = tile(glance_of(finance.get(address(running.customer))), "MRR")
    others = tile(glance_of(finance.get(address(old))), "MRR")

    assert own.lines
    assert not others.lines


def test_a_line_of_numbers_is_drawn_in_its_frame() -> None:
    assert Spark((0, 5, 10), "15 events").points == "0,230 500,120 1000,10"
    assert Spark((0, 0), "none").points == "0,230 1000,230"
    assert Spark((7,), "7").points == "0,10"
    assert Spark((), "").area == ""


def test_a_figure_has_room_for_three_currencies() -> None:
    lines = tuple(Line(str(number)) for number in range(glance.MOST_LINES + 2))
    found = Tile("Open", lines, "What is open.")
    assert (len(found.shown), found.more) == (glance.MOST_LINES, 2)
