"""What happens after an invoice is issued: its document, its e-mail, and the sweeper that forgets nothing."""

from typing import Any

import pytest
from django.core import mail

from config.kernel import jobs
from invoicing import tasks
from invoicing.models import Delivery, Document
from invoicing.services import dispatch
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def test_an_issued_invoice_is_rendered_and_mailed_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    entity = make.make_entity(email_settings=["invoice.finalized"])
    with django_capture_on_commit_callbacks(execute=True):
        mailed = make.issue(make.make_customer(entity, email="ap@c1.test"), "1.00")
        assert not Document.objects.exists()

    assert Document.objects.get().invoice == mailed
    assert Delivery.objects.get().state == "sent"
    assert [message.to for message in mail.outbox] == [["ap@c1.test"]]


def test_without_an_e_mail_there_is_a_document_all_the_same(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        invoice = make.issue(make.make_customer(make.make_entity(), email="ap@c1.test"), "1.00")

    assert Document.objects.get().invoice == invoice
    assert mail.outbox == []


def test_the_sweeper_does_what_lost_messages_left_undone(messages: list[Any]) -> None:
    entity = make.make_entity(email_settings=["invoice.finalized"])
    make.issue(make.make_customer(entity, email="ap@c1.test"), "1.00")
    make.issue(make.make_customer(entity, "c2"), "1.00")
    make.draft(make.make_customer(entity, "c3"), "1.00")
    assert len(messages) == 2

    dispatch.sweep(as_of=make.AT)
    dispatch.sweep(as_of=make.AT)

    assert Document.objects.count() == 2
    assert len(mail.outbox) == 1


def test_the_periodic_jobs_are_registered() -> None:
    known = jobs.periodic_jobs()

    assert known["overdue"].task == tasks.mark_overdue.name
    assert known["deliveries"].task == tasks.sweep_documents.name
    assert jobs.run("overdue", as_of=make.AT) == 0
