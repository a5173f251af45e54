"""Wallets in the admin: made, topped up, voided and terminated after a look, once; and who may."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer, InvoiceCustomSection
from invoicing.models import Invoice, Wallet, WalletTransaction
from tests.admin import addresses
from tests.admin.conftest import NOW, signed_in
from tests.factories import invoicing as make
from tests.factories import wallets as purses
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

LIST = "/admin/invoicing/wallet"


@pytest.fixture
def customer(company: Company) -> Customer:
    found = company.customers[0]
    found.refresh_from_db()
    return found


@pytest.fixture
def wallet(customer: Customer) -> Wallet:
    return purses.make_wallet(customer, name="Main")


def url(wallet: Wallet, verb: str) -> str:
    return f"{LIST}/{wallet.pk}/{verb}/"


def done(browser: Client, address: str, **values: Any) -> Any:
    """Fill in a form that weighs, look at what would happen, and do it twice."""
    content = {"once": str(uuid.uuid4()), **values}
    looked = browser.post(address, content)
    weighed = looked.context["weighed"] if looked.status_code == 200 and "weighed" in looked.context else ""
    if weighed:
        looked = browser.post(address, {**content, "weighed": weighed})
    browser.post(address, {**content, "weighed": weighed})
    return looked


def test_a_wallet_is_made_once(finance: Client, customer: Customer) -> None:
    values = {
        "customer": customer.pk, "currency": "EUR", "rate_amount": "0.5", "name": "Tokens", "priority": "3",
        "ends_on": "2027-01-01", "fee_types": ["charge"], "least": "10", "granted_credits": "20", "paid_credits": "40",
    }  # fmt: skip

    answer = done(finance, f"{LIST}/create/", **values)

    wallet = Wallet.objects.get()
    assert answer.url == f"{LIST}/{wallet.pk}/change/"
    assert (wallet.code, wallet.priority, wallet.balance_amount.amount) == ("tokens", 3, 10)
    assert (wallet.fee_types, wallet.paid_top_up_min_amount.amount) == (["charge"], 10)
    # The day begins in Berlin.
    assert wallet.expiration_at.isoformat() == "2026-12-31T23:00:00+00:00"
    assert Invoice.objects.filter(kind="credit").count() == 1


def test_credits_are_bought_given_and_voided(finance: Client, wallet: Wallet, customer: Customer) -> None:
    before = addresses.fingerprint()
    looked = finance.post(url(wallet, "top_up"), {"credits": "100", "priority": "50", "name": "May"})
    assert b"Balance once it is paid" in looked.content
    assert addresses.fingerprint() == before

    done(finance, url(wallet, "top_up"), credits="100", priority="50", name="May")
    purses.pay(Invoice.objects.get(kind="credit"))
    done(finance, url(wallet, "grant"), credits="20", priority="50", name="Sorry")
    used = make.issue(customer, "30.00", at=NOW)
    refused = finance.post(url(wallet, "void"), {"credits": "1000", "name": "x"})
    assert "less than" in refused.content.decode() or "credits" in refused.content.decode()
    done(finance, url(wallet, "void"), credits="10", name="Fraud")

    wallet.refresh_from_db()
    assert wallet.balance_amount.amount == 120 - used.prepaid_credit_amount.amount - 10
    page = finance.get(url(wallet, "change")).content.decode()
    assert used.number in page
    assert "Sorry" in page
    assert "Given credits used" in page
    assert "Wallet Main" in finance.get(f"/admin/invoicing/invoice/{used.pk}/change/").content.decode()
    assert "in wallets" in finance.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    assert finance.get(f"{LIST}/?q=Main").status_code == 200


def test_terms_change_and_a_wallet_ends(finance: Client, wallet: Wallet) -> None:
    purses.give(wallet, "5")
    form = finance.get(url(wallet, "edit"))
    assert form.status_code == 200
    section = InvoiceCustomSection.objects.create(code="thanks", name="Thanks")
    values = {"name": "Renamed", "code": wallet.code, "priority": "9", "fee_types": [], "most": "50"}
    assert finance.post(url(wallet, "edit"), {**values, "sections_chosen": [section.pk]}).status_code == 302
    assert Wallet.objects.get(pk=wallet.pk).custom_section_ids == [section.pk]
    assert b"Thanks" in finance.get(url(wallet, "change")).content
    Wallet.objects.filter(pk=wallet.pk).update(custom_section_ids=[])  # none at all, which the form does not know
    assert finance.post(url(wallet, "edit"), values).status_code == 302
    assert Wallet.objects.get(pk=wallet.pk).custom_section_ids == []
    assert b"would be lost" in finance.get(url(wallet, "terminate")).content
    assert finance.post(url(wallet, "terminate"), {"reason": "left"}).status_code == 302

    wallet.refresh_from_db()
    assert (wallet.name, wallet.priority, wallet.status) == ("Renamed", 9, "terminated")
    assert WalletTransaction.objects.filter(transaction_status="voided").count() == 1
    assert finance.get(url(wallet, "top_up")).status_code == 302  # back to the page, with the reason


def test_who_may(wallet: Wallet) -> None:
    for role, status in (("Accountant", 403), ("Auditor", 403)):
        browser = signed_in(role)
        assert browser.get(url(wallet, "change")).status_code == 200
        for verb in ("top_up", "grant", "void", "edit", "terminate"):
            assert browser.post(url(wallet, verb), {"credits": "1"}).status_code == status
