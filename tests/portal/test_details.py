"""Billing details in the portal: shown, checked, confirmed, changed through the service, audited as the customer's."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.platform.models import AuditEntry
from customers.models import Customer
from customers.services import customers, portal_links
from tests.factories import invoicing as make

DETAILS = {
    "name": "Umbrella",
    "legal_name": "Umbrella GmbH",
    "tax_identification_number": "",
    "email": "ap@umbrella.test",
    "document_locale": "en",
    "address_line1": "Hauptstr. 1",
    "address_line2": "",
    "zipcode": "10115",
    "city": "Berlin",
    "state": "",
    "country": "DE",
}


def send(customer: Customer, step: str, *, client: Client | None = None, **changed: str) -> Any:
    token = portal_links.make(customer=customer, at=make.AT).token
    return (client or Client()).post(f"/portal/{token}/details", {**DETAILS, **changed, "step": step})


def stored(customer: Customer) -> Customer:
    return Customer.objects.get(pk=customer.pk)


def test_a_change_is_seen_before_it_is_made(customer: Customer) -> None:
    review = send(customer, "review").content.decode()

    assert "Is this right?" in review
    assert "Umbrella GmbH" in review
    assert "Germany" not in review.split('class="changes"')[1].split("</dl>")[0]  # the country stays
    assert stored(customer).legal_name == ""
    assert "Is this right?" not in send(customer, "back").content.decode()
    assert stored(customer).legal_name == ""

    saved = send(customer, "save")

    assert saved.status_code == 302
    assert Client().get(saved["Location"]).content.decode().count("were saved") == 1
    after = stored(customer)
    assert (after.legal_name, after.zipcode, after.city) == ("Umbrella GmbH", "10115", "Berlin")
    assert after.document_locale == ""  # still the seller's: nobody chose another
    entry = AuditEntry.objects.get(verb="update")
    assert (entry.actor_kind, entry.actor_label, entry.user_id) == ("customer", "Umbrella", None)
    assert entry.new == {
        "legal_name": "Umbrella GmbH",
        "address_line1": "Hauptstr. 1",
        "zipcode": "10115",
        "city": "Berlin",
    }


def test_only_these_fields_can_be_changed(customer: Customer) -> None:
    send(
        customer, "save", external_id="c2", currency="USD", net_payment_term="999", tax_codes="x", portal_generation="9"
    )

    after = stored(customer)

    assert (after.external_id, after.currency, after.net_payment_term, after.portal_generation) == ("c1", "", None, 0)
    assert after.city == "Berlin"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", ""),
        ("name", ""),
        ("country", "XX"),
        ("document_locale", "tlh"),
        ("city", "x" * 300),
        ("city", "a\x00b"),
    ],
)
def test_what_is_refused(customer: Customer, field: str, value: str) -> None:
    answer = send(customer, "save", **{field: value})

    assert answer.status_code == 422
    assert 'class="problem"' in answer.content.decode()
    assert stored(customer).city == ""


def test_nothing_changes_by_looking_or_by_a_forged_form(customer: Customer) -> None:
    token = portal_links.make(customer=customer, at=make.AT).token
    Client().get(f"/portal/{token}/details", {**DETAILS, "step": "save"})
    assert stored(customer).city == ""

    forged = send(customer, "save", client=Client(enforce_csrf_checks=True))

    assert forged.status_code == 403
    assert stored(customer).city == ""
    assert not AuditEntry.objects.exists()


def test_the_same_again_changes_nothing(customer: Customer) -> None:
    send(customer, "save")
    again = send(customer, "save").content.decode()
    assert "Nothing would change" in again
    assert AuditEntry.objects.filter(verb="update").count() == 1


def test_a_customer_that_is_retired_meanwhile_does_not_come_back(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    upsert = customers.upsert

    def too_late(**values: Any) -> Customer:
        customers.delete(external_id=customer.external_id, actor=make.ACTOR, at=make.AT)
        return upsert(**values)

    monkeypatch.setattr(customers, "upsert", too_late)

    assert send(customer, "save").status_code == 404
    assert Customer.objects.get().deleted_at == make.AT
