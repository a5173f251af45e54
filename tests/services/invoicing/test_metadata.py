"""Notes on invoices: full replacement by id, limits, and none on drafts."""

import uuid

import pytest

from config.kernel import errors
from invoicing.models import Invoice
from invoicing.services import invoices, metadata
from invoicing.services.metadata import Note
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def notes(invoice: Invoice) -> list[tuple[str, str]]:
    return list(invoice.metadata.order_by("pk").values_list("key", "value"))


def replace(invoice: Invoice, *given: Note) -> None:
    invoices.update(invoice_id=invoice.pk, notes=given, actor=make.ACTOR, at=make.AT)


def test_named_notes_change_others_come_and_go() -> None:
    invoice = make.issue(make.make_customer(make.make_entity()), "1.00")
    replace(invoice, Note("a", "1"), Note("b", "2"), Note("c", "3"))
    first, second = invoice.metadata.order_by("pk")[:2]

    replace(invoice, Note("b", "1", first.uuid), Note("a", "2", second.uuid), Note("d", "4"))

    assert notes(invoice) == [("b", "1"), ("a", "2"), ("d", "4")]
    assert list(invoice.metadata.order_by("pk").values_list("uuid", flat=True))[:2] == [first.uuid, second.uuid]
    replace(invoice)
    assert notes(invoice) == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([Note(str(number), "x") for number in range(6)], "invalid_count"),
        ([Note("a", "1"), Note("a", "2")], "value_already_exist"),
        ([Note("a", "1", uuid.UUID(int=1))], "value_is_invalid"),
    ],
)
def test_refuses_what_does_not_fit_and_changes_nothing(given: list[Note], code: str) -> None:
    invoice = make.issue(make.make_customer(make.make_entity()), "1.00")
    replace(invoice, Note("kept", "1"))

    with pytest.raises(metadata.InvalidMetadata) as refused:
        replace(invoice, *given)
    assert refused.value.details == {"metadata": [code]}
    assert notes(invoice) == [("kept", "1")]


def test_a_draft_takes_no_notes_and_both_changes_or_none() -> None:
    customer = make.make_customer(make.make_entity())
    draft, issued = make.draft(customer, "1.00").invoice, make.issue(customer, "1.00")

    with pytest.raises(errors.NotAllowed) as refused:
        replace(draft, Note("a", "1"))
    assert refused.value.code == "metadata_on_draft_invoice"
    with pytest.raises(metadata.InvalidMetadata):
        invoices.update(
            invoice_id=issued.pk,
            payment_status="succeeded",
            notes=[Note("a", "1"), Note("a", "2")],
            actor=make.ACTOR,
            at=make.AT,
        )
    issued.refresh_from_db()
    assert issued.payment_status == "pending"
