"""Overdue invoices: by the local day, once, and never what is paid or no document."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.platform.models import AuditEntry
from invoicing.domain.facts import PaymentOverdue
from invoicing.models import Invoice
from invoicing.services import overdue, payments
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("timezone", "not_yet", "then"),
    [
        ("UTC", "2026-05-15T23:59:59", "2026-05-16T00:00:00"),
        ("Asia/Tokyo", "2026-05-15T14:59:59", "2026-05-15T15:00:00"),
        ("Pacific/Kiritimati", "2026-05-15T09:59:59", "2026-05-15T10:00:00"),  # UTC+14
        ("America/Los_Angeles", "2026-05-15T06:59:59", "2026-05-15T07:00:00"),  # issued on the last day of April there
    ],
)
def test_an_invoice_is_late_when_its_local_due_date_is_over(
    heard: list[object], timezone: str, not_yet: str, then: str
) -> None:
    customer = make.make_customer(make.make_entity(net_payment_term=14))
    invoice = make.issue(customer, "1.00", timezone=timezone)
    heard.clear()

    assert overdue.mark(as_of=datetime.fromisoformat(not_yet).replace(tzinfo=UTC)) == 0
    late = datetime.fromisoformat(then).replace(tzinfo=UTC)
    assert overdue.mark(as_of=late) == 1
    assert overdue.mark(as_of=late) == 0

    invoice.refresh_from_db()
    assert (invoice.payment_overdue, invoice.updated_at) == (True, late)
    assert heard == [PaymentOverdue(invoice_id=invoice.pk)]
    assert AuditEntry.objects.filter(verb="mark_overdue").count() == 1


def test_only_open_documents_are_late() -> None:
    customer = make.make_customer(make.make_entity())
    failed, paid, draft = (
        make.issue(customer, "1.00"),
        make.issue(customer, "1.00"),
        make.draft(customer, "1.00").invoice,
    )
    payments.declare(invoice_id=failed.pk, payment_status="failed", actor=make.ACTOR, at=make.AT)
    payments.declare(invoice_id=paid.pk, payment_status="succeeded", actor=make.ACTOR, at=make.AT)
    make.issue(customer, "0.00")

    assert overdue.mark(as_of=datetime(2026, 7, 1, tzinfo=UTC)) == 1

    assert list(Invoice.objects.filter(payment_overdue=True)) == [failed]
    assert not Invoice.objects.get(pk=draft.pk).payment_overdue


def test_many_are_marked_in_chunks_of_few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "CHUNK", 4)
    customer = make.make_customer(make.make_entity())
    for _ in range(10):
        make.issue(customer, "1.00")

    with CaptureQueriesContext(connection) as captured:
        assert overdue.mark(as_of=datetime(2026, 7, 1, tzinfo=UTC)) == 10

    assert Invoice.objects.filter(payment_overdue=True).count() == 10
    assert len(captured) <= 3 * 6 + 5  # four rounds, the last one empty; the others ask who is to be told
