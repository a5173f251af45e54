"""A new invoice in the admin: its totals are shown before it is issued, once however often the button is pressed."""

import re
from typing import Any

import pytest
from django.test import Client
from moneyed import Money

from catalog.models import AddOn
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import invoicing as make

NEW = "/admin/invoicing/invoice/new/"


@pytest.fixture
def customer(db: None) -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax()], net_payment_term=14), currency="EUR")


@pytest.fixture
def add_on(db: None) -> AddOn:
    return AddOn.objects.create(code="setup", name="Set-up", currency="EUR", amount=Money("100.00", "EUR"))


def filled(page: str, customer: Customer, **values: Any) -> dict[str, Any]:
    once = re.search(r'name="once" value="([^"]+)"', page)
    weighed = re.search(r'name="weighed" value="([^"]+)"', page)
    found = {"customer": customer.pk, "once": once[1] if once else "", **values}
    return found | ({"weighed": weighed[1]} if weighed else {})


def test_the_totals_are_shown_and_then_it_is_issued(admin_client: Client, customer: Customer, add_on: AddOn) -> None:
    page = admin_client.get(NEW, {"customer": customer.pk}).content.decode()
    assert f'value="{customer.pk}" selected' in page
    values = {"add_on_1": add_on.pk, "units_1": "2", "add_on_3": add_on.pk, "price_3": "10.50", "label_3": "Extra"}

    weighed = admin_client.post(NEW, filled(page, customer, **values)).content.decode()

    # 200.00 + 10.50 = 210.50; 19 % are 39.995, so 40.00
    assert "250.50" in weighed
    assert not Invoice.objects.exists()
    issued = admin_client.post(NEW, filled(weighed, customer, **values))
    invoice = Invoice.objects.get()
    assert (issued.status_code, issued["Location"]) == (302, f"/admin/invoicing/invoice/{invoice.pk}/change/")
    assert (invoice.total_amount, invoice.number) == (Money("250.50", "EUR"), "ACME-001-001")
    assert [line.label for line in invoice.lines.order_by("position")] == ["Set-up", "Extra"]
    admin_client.post(NEW, filled(weighed, customer, **values))
    assert Invoice.objects.count() == 1
    page = admin_client.get(issued["Location"])
    assert page.status_code == 200


def test_what_is_missing_is_said_beside_the_line(admin_client: Client, customer: Customer, add_on: AddOn) -> None:
    page = admin_client.get(NEW).content.decode()

    nothing = admin_client.post(NEW, filled(page, customer)).content.decode()
    wrong = admin_client.post(NEW, filled(page, customer, add_on_1=add_on.pk, units_2="3")).content.decode()
    dates = {"add_on_2": add_on.pk, "from_2": "2026-05-02", "to_2": "2026-05-01"}
    late = admin_client.post(NEW, filled(page, customer, **dates)).content.decode()

    assert "Choose what is sold." in nothing
    assert "Choose what is sold." in wrong
    assert "Invalid date range." in late
    assert not Invoice.objects.exists()
