"""No page makes more queries the more it shows: every address of the admin, and of the customers' pages, at two sizes.

Each address is asked with an object that has much around it. Then every table grows, and it is asked again. How many
queries a page may make at most is said by kind of page; what needs more, or grows after all, is named with its reason.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import OrderForm
from billing.services import order_forms, quote_documents
from config.platform.models import SavedFilter
from customers.services import portal_links
from invoicing.models import CreditNote, Document, Invoice
from invoicing.services import document_pdf, documents
from tests.admin import addresses
from tests.admin.conftest import NOW, signed_in
from tests.factories import everything, fullest, growth
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

TRIES = 8
"""As many objects are tried until a page opens for one of them."""
ANSWERS = {200, 302, 403, 404, 405}
MOST = {"object": 26, "verb": 22, "history": 9, "report": 14, "overview": 12, "list": 13, "other": 14}
"""Queries of a page by its kind. Session, person and rights are two of them; what surrounds a page is not counted."""
MORE = {
    "/admin/customers/customer/<path:object_id>/change/": (70, "one screen for all that a customer has"),
    "/admin/billing/subscription/<path:object_id>/change/": (70, "usage, terms, alerts, caps, what was billed"),
    "/admin/invoicing/invoice/<path:object_id>/change/": (40, "lines with their sums, and all that moved its due"),
    "/admin/catalog/charge/<path:object_id>/change/": (34, "prices, filters, taxes, and what they cost the most"),
    "/admin/billing/subscription/<path:object_id>/terminate/": (66, "the last bill is computed to be shown"),
    "/admin/billing/quote/<path:object_id>/submit/": (28, "the quote is priced to be shown"),
    "/admin/billing/quote/<path:object_id>/edit/": (27, "all that can be sold is there to be chosen"),
    "/admin/billing/subscription/<path:object_id>/agree_terms/": (25, "all terms and prices are there to be changed"),
    "/admin/catalog/charge/<path:object_id>/edit/": (24, "all that a price can be is there to be chosen"),
    "/admin/billing/subscription/of-customer/<int:customer_id>/usage/": (60, "ten subscriptions are rated at most"),
    "/admin/auth/user/<path:object_id>/delete/": (32, "Django asks every table that names the person"),
}
"""Pages that may make more, and why."""
GROWS = {
    "/admin/billing/subscription/of-customer/<int:customer_id>/usage/": "subscriptions are rated, ten at most",
    "/admin/billing/subscription/<path:object_id>/change/": "usage is added up once for each way of adding up",
}
"""Pages that grow after all, and what ends it."""
PLAYED = "/admin/billing/subscription/<path:object_id>/upcoming/"
"""Bills are made here and undone: it takes what billing takes. The page of the subscription does not wait for it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What an address answered, and how many queries it made."""

    path: str
    status: int
    queries: int


@pytest.fixture(scope="module")
def company(company: Company, django_db_blocker: Any) -> Company:
    """The company with one of everything, and a row in every table."""
    with django_db_blocker.unblock(), time_machine.travel(NOW, tick=False):
        everything.make_everything(company)
        connection.check_constraints()  # what is deferred to the end would look at what has grown
        assert fullest.fill(at=NOW) == {}
    return company


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No PDF is rendered or read, and what surrounds all pages is the same for all."""
    monkeypatch.setattr(documents, "preview_pdf", lambda **_: b"%PDF-")
    monkeypatch.setattr(documents, "content", lambda **_: b"%PDF-")
    monkeypatch.setattr(document_pdf, "write", lambda **_: b"%PDF-")
    around, kept = admin.site.each_context, {}

    def once(request: Any) -> dict[str, Any]:
        if not kept:
            kept.update(around(request), sidebar_navigation=[])
        return dict(kept)

    monkeypatch.setattr(admin.site, "each_context", once)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_no_page_of_the_admin_grows(company: Company) -> None:
    """As many queries for much as for little, and never more than pages of the kind may make."""
    client = signed_in("Superuser")
    SavedFilter.objects.update(person=client.get("/admin/").wsgi_request.user)  # who sees their own alone
    small = opened(client)
    assert small.pop(PLAYED).status == 200
    growth.grow()
    grown = {route: asked(client, answer.path) for route, answer in small.items()}
    assert {one.path: one.status for one in (*small.values(), *grown.values()) if one.status not in ANSWERS} == {}
    assert {route: (small[route], one) for route, one in grown.items() if one.status != small[route].status} == {}
    more = {route for route, one in grown.items() if one.queries > small[route].queries + _paged(route)}
    assert {route: (small[route], grown[route]) for route in more - set(GROWS)} == {}
    above = {route: one for route, one in grown.items() if one.queries > _most(route)}
    assert above == {}
    assert set(GROWS) | set(MORE) <= set(grown)
    assert sum(one.status == 200 for one in grown.values()) > 440


def test_what_surrounds_a_page_does_not_grow(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The badges of the sidebar are the same few queries everywhere."""
    monkeypatch.undo()
    client = signed_in("Superuser")
    client.get("/admin/catalog/tax/")  # what is kept between requests is asked for once
    small = asked(client, "/admin/catalog/tax/")
    growth.grow()
    grown = asked(client, "/admin/catalog/tax/")
    assert (small.status, grown.status) == (200, 200)
    assert grown.queries <= small.queries <= 14


def test_no_page_of_customers_grows(company: Company) -> None:
    """The portal, and the page on which a quote is accepted."""
    customer, form = company.customers[0], OrderForm.objects.filter(state="generated", sent_at=None).order_by("-pk")[0]
    quote_documents.render(order_form_id=form.pk, at=NOW)
    sent = order_forms.send(order_form_id=form.pk, to=["a@b.test"], message="", actor=company.actor, at=NOW)
    link = portal_links.make(customer=customer, at=NOW)
    invoice = Invoice.objects.filter(customer=customer, status="finalized").order_by("pk")[0]
    note = CreditNote.objects.filter(customer=customer).order_by("pk")[0]
    for owner in ({"invoice": invoice}, {"credit_note": note}):
        Document.objects.create(**owner, kind="pdf", file="x.pdf", sha256="0" * 64, size=1)
    pages = ("", "subscriptions", "invoices", f"invoices/{invoice.uuid}.pdf", "details")
    pages += ("credit-notes", f"credit-notes/{note.uuid}.pdf", "logo.svg", "theme.css")
    paths = [f"/portal/{link.token}/{page}" for page in pages]
    paths += [f"/quote/{sent.token}/{page}" for page in ("", "document.pdf", "theme.css", "logo.svg")]
    small = [asked(Client(), path) for path in paths]
    growth.grow()
    grown = [asked(Client(), path) for path in paths]
    assert [one.status for one in small] == [one.status for one in grown]
    assert sum(one.status == 200 for one in small) >= len(paths) - 2  # nobody has a logo
    rated = {f"/portal/{link.token}/", f"/portal/{link.token}/subscriptions"}  # the usage of each one that runs
    more = [(one, old) for one, old in zip(grown, small, strict=True) if one.queries > old.queries]
    assert [pair for pair in more if pair[0].path not in rated] == []
    assert max(one.queries for one in grown) <= 40


def asked(client: Client, path: str) -> Answer:
    """Ask for an address, and read what it streams."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
        if answer.streaming:
            list(answer.streaming_content)  # type: ignore[call-overload]
    return Answer(path, answer.status_code, len(captured))


def opened(client: Client) -> dict[str, Answer]:
    """What every route answers, asked with the first object for which it opens."""
    best = fullest.fullest()
    first = {one.route: one.path for one in addresses.found() if one.is_first and one.is_known}
    return {route: _opened(client, [*_tried(route, best), path]) for route, path in first.items()}


def _opened(client: Client, paths: list[str]) -> Answer:
    first = None
    for path in dict.fromkeys(paths):
        answer = asked(client, path)
        if answer.status == 200:
            return answer
        first = first or answer
    assert first is not None
    return first


def _tried(route: str, best: fullest.Fullest) -> list[str]:
    if not addresses.ARGUMENT.search(route) or route in addresses.CHOSEN or "<uuid:" in route:
        return []
    app, name = route.removeprefix("/admin/").split("/")[:2]
    model = apps.get_model("customers.customer" if "<int:customer_id>" in route else f"{app}.{name}")
    return [addresses.put(route, str(key)) for key in fullest.examples(model, best, most=TRIES)]


def _most(route: str) -> int:
    return MORE[route][0] if route in MORE else MOST[_kind(route)]


def _paged(route: str) -> int:
    """A list that has a further page by now asks for the keys of its rows first."""
    return 1 if _kind(route) == "list" else 0


def _kind(route: str) -> str:
    if route.startswith("/admin/reports/"):
        return "report"
    if route == "/admin/" or route.startswith("/admin/overview/"):
        return "overview"
    if "<path:object_id>" in route:
        return {"change": "object", "history": "history"}.get(route.split("/")[-2], "verb")
    return "list" if route.count("/") == 4 else "other"
