"""What changing a customer or seller leaves in the audit trail, and what it leaves alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer
from customers.services import billing_entities, customers
from tests.factories import customers as make
from tests.factories.platform import ACTOR, AT

pytestmark = pytest.mark.django_db


def trail() -> list[tuple[str, dict, dict]]:
    """Return verb, old and new of every entry on customers and sellers, oldest first."""
    rows = AuditEntry.objects.filter(object_type__startswith="customers.").order_by("id")
    return [(entry.verb, entry.old, entry.new) for entry in rows][1:]  # without the making of the default seller


def test_the_trail_of_a_customer() -> None:
    make.make_customer()
    later = AT + timedelta(days=1)
    customers.upsert(values={"external_id": "acme", "name": "Acme AG", "city": ""}, actor=ACTOR, at=later)
    customers.upsert(values={"external_id": "acme", "name": "Acme AG"}, actor=ACTOR, at=later)
    customers.delete(external_id="acme", actor=ACTOR, at=later)
    assert trail() == [
        ("create", {}, {"name": "Acme", "billing_entity": "default"}),
        ("update", {"name": "Acme"}, {"name": "Acme AG"}),
        ("delete", {}, {}),
    ]


def test_moving_a_customer_to_another_seller_is_on_the_trail() -> None:
    make.make_customer()
    make.make_entity("uk")
    customers.upsert(values={"external_id": "acme", "billing_entity_code": "uk"}, actor=ACTOR, at=AT)
    assert trail()[-1] == ("update", {"billing_entity": "default"}, {"billing_entity": "uk"})
    assert Customer.objects.get().slug.endswith("-001")


def test_a_refused_change_leaves_nothing() -> None:
    make.make_customer()
    with pytest.raises(errors.NotFound):
        customers.upsert(
            values={"external_id": "acme", "name": "New", "metadata": [{"key": "k"}], "tax_codes": ["none"]},
            actor=ACTOR,
            at=AT,
        )
    found = Customer.objects.get()
    assert (found.name, found.metadata.count(), len(trail())) == ("Acme", 0, 1)


def test_a_seller_changes_with_a_trail() -> None:
    make.make_default_entity(city="Köln")
    billing_entities.update(code="default", values={"city": "Köln"}, actor=ACTOR, at=AT)
    assert trail() == [("update", {"city": ""}, {"city": "Köln"})]


def test_a_doubtful_tax_number_is_taken_with_a_warning() -> None:
    make.make_customer(country="DE", tax_identification_number="DE136695977")
    customers.upsert(values={"external_id": "acme", "tax_identification_number": "DE136695976"}, actor=ACTOR, at=AT)
    entries = AuditEntry.objects.filter(object_type="customers.customer").order_by("id")
    assert [entry.reason for entry in entries] == ["This does not look like a VAT number of the EU.", ""]
    assert Customer.objects.get().tax_identification_number == "DE136695976"
