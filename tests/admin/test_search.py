"""The search: what people type finds what they mean, whoever may not see it does not, and it costs a fixed number of
queries whatever it finds.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.search.results import Result
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, Payment
from tests.admin import addresses
from tests.factories.company import Company
from tests.factories.waiting import make_waiting

pytestmark = pytest.mark.django_db

ADDRESS = "/admin/search/"
MOST_QUERIES = 17


def found(client: Client, term: str) -> list[Result]:
    answer = client.get(ADDRESS, {"s": term, "extended": "1"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    results: list[Result] = answer.context["results"]
    return results


def titles(client: Client, term: str, kind: str) -> list[str]:
    return [one.title for one in found(client, term) if one.kind == kind]


def test_customers_are_found_by_what_people_know_of_them(finance: Client, company: Company) -> None:
    first = company.customers[0]
    Customer.objects.filter(pk=first.pk).update(tax_identification_number="DE811569869", legal_name="Polarstern AG")
    name = "Nordlicht Analytics GmbH"
    for term in (
        "nord", "NORDLICHT", "analytics", "gmbh nordl", "Polar", "cust_001", "CUST_001", "accounts0@", "DE 811 569 869",
        "de8115", str(first.uuid),
    ):  # fmt: skip
        assert titles(finance, term, "Customer")[:1] == [name], term
    assert titles(finance, "ordlicht", "Customer") == []  # words are found by their beginnings
    assert titles(finance, "müller", "Customer") == titles(finance, "MÜLLER", "Customer")
    shown = next(one for one in found(finance, "nordlicht") if one.kind == "Customer")
    assert shown.about.startswith("cust_001")
    assert "active" in shown.state


def test_documents_are_found_by_number_its_end_and_amount(finance: Client, company: Company) -> None:
    make_waiting(company)
    invoice = Invoice.objects.filter(status="finalized", currency="EUR").order_by("pk").last()
    assert invoice is not None
    number, total = str(invoice.number), invoice.total_amount.amount
    english = f"{total:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    for term in (number, number.lower(), number[:-1], number[-7:], english, f"{german} EUR", f"€{german}"):
        assert number in titles(finance, term, "Invoice"), term
    assert titles(finance, number, "Invoice")[0] == number
    assert number not in titles(finance, f"{german} USD", "Invoice")
    assert number not in titles(finance, number[2:-2], "Invoice")  # neither its beginning nor its end
    shown = next(one for one in found(finance, number) if one.title == number)
    assert shown.money == f"€{english}"
    assert invoice.customer.display_name in shown.about
    note = CreditNote.objects.exclude(number=None).first()
    assert note is not None
    assert note.number in titles(finance, str(note.number), "Credit note")


def test_payments_agreements_and_prices(finance: Client, company: Company) -> None:
    make_waiting(company)
    payment = Payment.objects.filter(reference__startswith="SEPA").order_by("pk").first()
    assert payment is not None
    assert payment.reference in titles(finance, payment.reference.lower(), "Payment")
    assert payment.reference in titles(finance, f"{payment.amount.amount:.2f}", "Payment")
    assert titles(finance, "CT-2", "Contract") == ["CT-2 Term"]
    assert titles(finance, "Term", "Contract") != []
    quotes = [one for one in found(finance, "QT-2025-0001") if one.kind == "Quote"]
    assert [(one.money, "sent" in one.state) for one in quotes] == [("€1,200.00", True)]
    assert titles(finance, "sub_002", "Subscription") == ["sub_002"]
    assert titles(finance, "product", "Subscription") == ["Production cluster"]
    assert "Growth EUR" in titles(finance, "growth", "Plan")
    assert titles(finance, "egress", "Metric") == ["Egress (GB)"]


def test_pages_and_what_can_be_made(finance: Client, company: Company) -> None:
    assert titles(finance, "books", "Page") == ["Books check"]
    assert "New customer" in titles(finance, "new cust", "To do")
    assert titles(finance, "security", "Page") != []


@pytest.mark.parametrize(
    "term",
    [
        "'", '"', "\\", "%", "_%_", "%%%", "' OR 1=1 --", "q'z:*", "!&|()", ":* & :*", "<->", "\x00", "nord\x00licht",
        "x" * 10_000, "1" * 10_000, "🧾", "\u202e", "   ", "9999999999999999999", "1e999", "NaN", "--", "/*", "€",
        "0", "00000000-0000-0000-0000-000000000000", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz",
    ],
)  # fmt: skip
def test_searches_survive_anything(finance: Client, company: Company, term: str) -> None:
    answer = finance.get(ADDRESS, {"s": term})
    assert answer.status_code == 200
    customers = [one for one in (answer.context or {"results": []})["results"] if one.kind == "Customer"]
    assert [one.title for one in customers] in ([], ["Nordlicht Analytics GmbH"])
    assert customers == [] or term == "nord\x00licht"


def test_what_is_found_is_escaped(finance: Client, company: Company) -> None:
    Customer.objects.filter(pk=company.customers[0].pk).update(name="<script>alert(1)</script>")
    page = finance.get(ADDRESS, {"s": "cust_001"}).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "<b>" not in finance.get(ADDRESS, {"s": "<b>nothing</b>"}).content.decode()


def test_people_find_what_they_may_see(company: Company) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    client = Client()
    client.force_login(clerk)
    assert found(client, "nordlicht") == []
    clerk.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(User.objects.get(pk=clerk.pk))
    assert {one.kind for one in found(client, "nordlicht")} == {"Customer"}
    assert {one.kind for one in found(client, "lum-00")} == set()  # invoices have such numbers
    assert "New customer" not in titles(client, "new customer", "To do")
    assert Client().get(ADDRESS, {"s": "nordlicht"}).status_code == 302


def test_it_costs_a_fixed_number_of_queries(superuser: Client, company: Company) -> None:
    make_waiting(company)
    for term in ("cust", "lum", "12.50", "q", "nothing at all", "growth"):
        with CaptureQueriesContext(connection) as captured:
            found(superuser, term)
        assert len(captured) <= MOST_QUERIES, term


def test_searching_changes_nothing(superuser: Client, company: Company) -> None:
    before = addresses.fingerprint()
    found(superuser, "nordlicht")
    assert superuser.post(ADDRESS, {"s": "nordlicht"}).status_code == 405
    assert addresses.fingerprint() == before
