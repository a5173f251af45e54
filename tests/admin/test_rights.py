"""Every address of the admin as every role: nothing breaks, looking changes nothing, auditors can change nothing."""

from __future__ import annotations

import pytest
from django.template.response import SimpleTemplateResponse
from django.test import Client

from invoicing.services import documents
from tests.admin import addresses
from tests.admin.conftest import ROLES, signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering a PDF takes most of a second; its own test does it."""
    monkeypatch.setattr(documents, "preview_pdf", lambda **_: b"%PDF-")


ANSWERS = {200, 301, 302, 403, 404, 405}
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
    ):
        assert any(part in address for address in found), part
    assert len(found) > 100


@pytest.mark.parametrize("role", [*ROLES, "Superuser", "Nobody"])
def test_looking_breaks_nothing_and_changes_nothing(
    company: Company, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GET is safe everywhere, whoever looks. A superuser's pages are written out; the others' are computed only."""
    client = signed_in(role)
    if role != "Superuser":
        monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    before = addresses.fingerprint()
    answers = {address: client.get(address).status_code for address in addresses.every()}
    assert {address: status for address, status in answers.items() if status not in ANSWERS} == {}
    assert addresses.fingerprint() == before
    shown = [address for address, status in answers.items() if status == 200]
    assert len(shown) > (1 if role == "Nobody" else 40)


@pytest.mark.parametrize("role", ["Auditor", "Nobody"])
def test_whoever_may_only_look_changes_nothing(company: Company, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """POST to every address: refused, or an answer that did nothing."""
    client = signed_in(role)
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    before = addresses.fingerprint()
    answers = {
        address: client.post(address, FILLED).status_code
        for address in addresses.every()
        if "password" not in address and "login" not in address
    }
    assert {address: status for address, status in answers.items() if status not in ANSWERS} == {}
    assert addresses.fingerprint() == before
    verbs = [
        address for address in answers if address.endswith(("/pay/", "/finalize/", "/void/", "/send/", "/create/"))
    ]
    assert verbs
    assert {answers[address] for address in verbs} == {403}


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
    for address in addresses.every():
        if "login" in address:
            continue
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
