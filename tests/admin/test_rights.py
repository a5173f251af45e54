"""Every address of the admin as every role: nothing breaks, looking changes nothing, and nobody does what they may not.

The pages of the portal and of a quote are looked at here too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import URLResolver, get_resolver

from billing.models import OrderForm
from billing.services import order_forms, quote_documents
from config.platform.admin.verbs import Verb
from customers.services import portal_links
from invoicing.services import document_pdf, documents
from tests.admin import addresses
from tests.admin.addresses import Address
from tests.admin.conftest import NOW, ROLES, person, signed_in
from tests.factories import everything
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

ANSWERS = {200, 301, 302, 403, 404, 405, 503}
FILLED = {
    "_do": "1",
    "_save": "Save",
    "post": "yes",
    "action": "enable_tasks",
    "_selected_action": "1",
    "reason": "because",
    "amount": "1.00",
    "paid_on": "2026-05-20",
    "name": "Something",
    "code": "something",
    "rate": "7",
    "external_id": "something",
    "on_termination_invoice": "skip",
    "ids": "1,2,3",
}
WITHOUT_EXAMPLE: set[str] = set()
"""Routes of objects that the company has none of. Give a new page an object in tests/factories/everything.py."""
EDITORS = {
    "/admin/billing/quote/create/": "billing.add_quote",
    "/admin/billing/quote/totals/": "billing.add_quote",
    "/admin/billing/quote/<path:object_id>/edit/": "billing.change_quote",
    "/admin/billing/quote/<path:object_id>/totals/": "billing.change_quote",
    "/admin/catalog/plan/<path:object_id>/prices/": "catalog.change_plan",
    "/admin/auth/user/add/": "auth.add_user",
    "/admin/auth/user/<path:object_id>/change/": "auth.change_user",
    "/admin/auth/user/<path:object_id>/delete/": "auth.delete_user",
    "/admin/auth/group/add/": "auth.add_group",
    "/admin/auth/group/<path:object_id>/change/": "auth.change_group",
    "/admin/auth/group/<path:object_id>/delete/": "auth.delete_group",
    "/admin/django_celery_beat/periodictask/add/": "django_celery_beat.add_periodictask",
    "/admin/django_celery_beat/periodictask/<path:object_id>/change/": "django_celery_beat.change_periodictask",
    "/admin/django_celery_beat/periodictask/<path:object_id>/delete/": "django_celery_beat.delete_periodictask",
}
"""What is changed at an address that is no verb's, and the right to it."""


@pytest.fixture(scope="module")
def company(company: Company, django_db_blocker: Any) -> Company:
    """The company with one of everything."""
    with django_db_blocker.unblock(), time_machine.travel(NOW, tick=False):
        everything.make_everything(company)
    return company


@pytest.fixture(autouse=True)
def _quick_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering a PDF takes most of a second; its own test does it."""
    monkeypatch.setattr(documents, "preview_pdf", lambda **_: b"%PDF-")
    monkeypatch.setattr(document_pdf, "write", lambda **_: b"%PDF-")


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compute pages without writing them out, and without what surrounds them: that is the superuser's walk."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    monkeypatch.setattr(admin.site, "each_context", lambda _request: {})
    logging.disable(logging.CRITICAL)  # a refusal is told with its traceback, hundreds of times
    yield
    logging.disable(logging.NOTSET)


def test_the_walk_finds_every_kind_of_page(company: Company) -> None:
    """The walk itself must not be empty: it stands on the form of Django's routes."""
    found = addresses.every()
    for part in (
        "/pay/",
        "/finalize/",
        "/bulk/finalize/",
        "/history/",
        "/pdf/",
        "/balances/",
        "/terminate/",
        "/start/",
        "/reports/",
        "/search/",
        "/overview/",
        "/totals/",
        "/progress/",
        "/file/csv/",
        "/mend.csv",
    ):
        assert any(part in address for address in found), part
    assert len(found) > 100
    assert addresses.without_example() == WITHOUT_EXAMPLE
    routes = {address.route for address in addresses.found()}
    assert set(EDITORS) <= routes


def test_every_verb_demands_a_right_that_exists(company: Company) -> None:
    """A right that is spelt wrong is nobody's but the superuser's."""
    known = {
        f"{one.content_type.app_label}.{one.codename}" for one in Permission.objects.select_related("content_type")
    }
    verbs = [verb for verb, _owner in addresses.demanded().values() if type(verb).may is Verb.may]
    assert len(verbs) > 150
    assert {type(verb).__name__: verb.permission for verb in verbs if verb.permission not in known} == {}


def test_looking_breaks_nothing_and_changes_nothing(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """GET is safe everywhere, with objects that there are and others. All pages are written out."""
    client = signed_in("Superuser")
    # What surrounds every page is computed once, and written out around the first.
    around = admin.site.each_context(client.get("/admin/").wsgi_request) | {"sidebar_navigation": []}
    monkeypatch.setattr(admin.site, "each_context", lambda _request: around)
    before = addresses.fingerprint()
    paths = [one.path for one in addresses.found() if one.is_first or one.verb is None]
    answers = {path: client.get(path).status_code for path in paths}
    assert {path: status for path, status in answers.items() if status not in ANSWERS} == {}
    assert addresses.fingerprint() == before
    assert sum(status == 200 for status in answers.values()) > 400


@pytest.mark.parametrize("role", [*ROLES, "Nobody"])
@pytest.mark.usefixtures("unwritten")
def test_everybody_does_what_they_may_and_no_more(company: Company, role: str) -> None:
    """Verbs open for whoever has the right; to others POST is refused. Nothing changes by it."""
    client, user = _somebody(role)
    before = addresses.fingerprint()
    looked, refused = {}, {}
    for address in addresses.found():
        if not address.is_first or address.route.endswith("/history/"):
            continue
        if _lacks(address, user):
            refused[address] = client.post(address.path, FILLED).status_code
        else:
            looked[address] = client.get(address.path).status_code
    assert {one.path: status for one, status in looked.items() if status not in ANSWERS} == {}
    verbs = {one: status for one, status in looked.items() if one.verb is not None}
    assert [one.path for one, status in verbs.items() if status == 403] == []
    assert {one.path: status for one, status in refused.items() if status != 403} == {}
    assert addresses.fingerprint() == before
    assert len(refused) > 10
    assert sum(status == 200 for status in looked.values()) > (1 if role == "Nobody" else 40)


@pytest.mark.parametrize("role", ["Auditor", "Nobody"])
@pytest.mark.usefixtures("unwritten")
def test_whoever_may_only_look_changes_nothing(company: Company, role: str) -> None:
    """POST to every address that the walk above does not: refused, or an answer that did nothing."""
    client, user = _somebody(role)
    before = addresses.fingerprint()
    answers = {
        one: client.post(one.path, FILLED).status_code
        for one in addresses.found()
        if one.is_first and (one.verb is None or one.may(user)) and not one.path.endswith(("/password/", "/login/"))
    }
    assert {one.path: status for one, status in answers.items() if status not in ANSWERS} == {}
    assert addresses.fingerprint() == before


def test_customers_who_look_change_nothing(company: Company) -> None:
    """GET of the portal, and of the page of a quote: nothing but reading."""
    form = OrderForm.objects.filter(state="generated", sent_at=None).order_by("-pk")[0]
    quote_documents.render(order_form_id=form.pk, at=NOW)
    sent = order_forms.send(order_form_id=form.pk, to=["a@b.test"], message="", actor=company.actor, at=NOW)
    tokens = {"quote": sent.token, "portal": portal_links.make(customer=company.customers[0], at=NOW).token}
    paths = sorted({f"/{kind}/{token}/{rest}" for kind, token in tokens.items() for rest in _outside(kind)})
    assert len(paths) > 10
    before = addresses.fingerprint()
    answers = {path: Client().get(path).status_code for path in paths}
    assert {path: status for path, status in answers.items() if status not in {200, 302, 404}} == {}
    assert {path.split("/")[1] for path, status in answers.items() if status == 200} == {"quote", "portal"}
    assert addresses.fingerprint() == before


def _somebody(role: str) -> tuple[Client, User]:
    client, user = Client(), person(role)
    client.force_login(user)
    return client, user


def _lacks(address: Address, user: User) -> bool:
    if address.verb is None:
        right = EDITORS.get(address.route)
        return right is not None and not user.has_perm(right)
    return not address.may(user)


def _outside(kind: str) -> Iterator[str]:
    """The addresses behind a link, with an invoice of nobody in the place of an id."""
    nobody = "00000000-0000-0000-0000-000000000000"
    for entry in get_resolver().url_patterns:
        if isinstance(entry, URLResolver) and str(entry.pattern) == f"{kind}/<str:token>/":
            for page in entry.url_patterns:
                yield addresses.ARGUMENT.sub(nobody, str(page.pattern))


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(finance: Client, company: Company, method: str) -> None:
    """Verbs and pages know GET and POST, or GET alone."""
    before = addresses.fingerprint()
    for address in ("/admin/invoicing/invoice/1/pay/", "/admin/billing/billingrun/start/"):
        assert getattr(finance, method)(address).status_code == 405
    page = f"/admin/customers/customer/{company.customers[0].pk}/change/"
    assert getattr(finance, method)(page).status_code == 405
    assert finance.post(page).status_code == 405
    assert addresses.fingerprint() == before


def test_strangers_are_sent_to_the_sign_in(company: Company) -> None:
    """Without a session nothing is shown."""
    client = Client()
    for address in sorted({one.path for one in addresses.found() if one.is_first} - {"/admin/login/"}):
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert "/admin/login/" in answer.url


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (
            "Finance admin",
            {"finalize", "void", "pay", "send", "refresh", "credit", "start", "terminate", "change_plan"},
        ),
        ("Accountant", {"finalize", "pay", "send", "refresh"}),
        ("Auditor", set()),
        ("Engineer", set()),
    ],
)
def test_roles_and_verbs(company: Company, role: str, may: set[str]) -> None:
    """Who may do what: 403 for everybody else, a page or a way back for those who may."""
    client = signed_in(role)
    invoice, subscription = (
        "/admin/invoicing/invoice/{}/",
        f"/admin/billing/subscription/{company.subscriptions[0].pk}/",
    )
    example = invoice.format(company.run.items.first().invoice_id)
    pages = {name: f"{example}{name}/" for name in ("finalize", "void", "pay", "send", "refresh", "credit")}
    pages |= {"start": "/admin/billing/billingrun/start/", "terminate": f"{subscription}terminate/"}
    pages |= {"change_plan": f"{subscription}change_plan/"}
    answers = {name: client.get(address).status_code for name, address in pages.items()}
    assert {name for name, status in answers.items() if status != 403} == may
