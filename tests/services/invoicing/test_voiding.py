"""Voiding drafts: no number is used or freed. Voiding documents: see `test_voids`."""

import pytest

from config.kernel import errors
from config.platform.models import AuditEntry
from invoicing.domain.facts import InvoiceFinalized, InvoiceVoided
from invoicing.models import Invoice, LedgerEntry
from invoicing.services import invoices
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def test_a_voided_draft_leaves_no_gap(heard: list[object]) -> None:
    customer = make.make_customer(make.make_entity())
    first, second, third = (make.draft(customer, "1.00").invoice.pk for _ in range(3))
    invoices.finalize(invoice_id=first, actor=make.ACTOR, at=make.AT)

    voided = invoices.void_draft(invoice_id=second, reason="wrong plan", actor=make.ACTOR, at=make.AT)
    invoices.finalize(invoice_id=third, actor=make.ACTOR, at=make.AT)

    assert (voided.status, voided.number, voided.voided_at) == ("voided", None, make.AT)
    assert list(Invoice.objects.order_by("pk").values_list("number", flat=True)) == [
        "ACME-001-001",
        None,
        "ACME-001-002",
    ]
    assert heard == [
        InvoiceFinalized(invoice_id=first),
        InvoiceVoided(invoice_id=second),
        InvoiceFinalized(invoice_id=third),
    ]
    assert AuditEntry.objects.get(verb="void").reason == "wrong plan"
    assert LedgerEntry.objects.count() == 2


def test_a_voided_draft_is_not_finalized_any_more() -> None:
    draft = make.draft(make.make_customer(make.make_entity()), "1.00").invoice
    invoices.void_draft(invoice_id=draft.pk, reason="", actor=make.ACTOR, at=make.AT)

    assert invoices.finalize_due(as_of=make.AT).done == 0
    with pytest.raises(errors.NotAllowed):
        invoices.finalize(invoice_id=draft.pk, actor=make.ACTOR, at=make.AT)
    with pytest.raises(errors.NotAllowed):
        invoices.void_draft(invoice_id=draft.pk, reason="", actor=make.ACTOR, at=make.AT)


def test_a_document_is_no_draft_and_a_draft_no_document(heard: list[object]) -> None:
    customer = make.make_customer(make.make_entity())
    invoice, draft = make.issue(customer, "1.00"), make.draft(customer, "1.00").invoice

    for verb in (
        lambda: invoices.void_draft(invoice_id=invoice.pk, reason="", actor=make.ACTOR, at=make.AT),
        lambda: invoices.void(invoice_id=draft.pk, actor=make.ACTOR, at=make.AT),
    ):
        with pytest.raises(errors.NotAllowed) as refused:
            verb()
        assert refused.value.code == "not_voidable"
    invoice.refresh_from_db()
    draft.refresh_from_db()
    assert (invoice.status, draft.status) == ("finalized", "draft")
    assert heard == [InvoiceFinalized(invoice_id=invoice.pk)]
