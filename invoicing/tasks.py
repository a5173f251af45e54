"""Background work: making documents, sending them, marking what is overdue. A task makes one service call."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel import actors, jobs
from invoicing.services import (
    books_checks,
    books_register,
    credit_note_documents,
    deliveries,
    dispatch,
    documents,
    overdue,
    receipt_documents,
    tax_calculations,
    tax_reports,
    wallets,
)

jobs.register(
    jobs.PeriodicJob(
        name="overdue",
        service="invoicing.services.overdue.mark",
        task="invoicing.tasks.mark_overdue",
        minutes="25",
        description="Marks invoices whose due date has passed.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="deliveries",
        service="invoicing.services.dispatch.sweep",
        task="invoicing.tasks.sweep_documents",
        minutes="*/5",
        description="Makes the documents and sends the e-mails that are still waiting.",
    )
)

jobs.register(
    jobs.PeriodicJob(
        name="check_books",
        service="invoicing.services.books_checks.run_scheduled",
        task="invoicing.tasks.check_books",
        minutes="30",
        hours="2",
        description="Proves the books: ledger, documents, wallets, numbers, billed time, samples of usage and of PDFs.",
    )
)
books_register.register()
jobs.register(
    jobs.PeriodicJob(
        name="expire_wallets",
        service="invoicing.services.wallets.expire",
        task="invoicing.tasks.expire_wallets",
        minutes="45",
        description="Terminates wallets whose time is over.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="taxes",
        service="invoicing.services.tax_calculations.run",
        task="invoicing.tasks.calculate_taxes",
        minutes="*",
        description="Asks tax engines about invoices, and issues those whose taxes are known by now.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="tax_reports",
        service="invoicing.services.tax_reports.send_due",
        task="invoicing.tasks.report_taxes",
        minutes="*/5",
        description="Tells tax engines about documents that were issued, voided or credited.",
    )
)


@shared_task(name="invoicing.tasks.report_taxes")
def report_taxes(**_: Any) -> None:
    """Tell tax engines what they are to be told."""
    tax_reports.send_due(as_of=timezone.now())


@shared_task(name="invoicing.tasks.calculate_taxes")
def calculate_taxes(**_: Any) -> None:
    """Ask tax engines what is due, and issue what waits for nothing any more."""
    tax_calculations.run(as_of=timezone.now())


@shared_task(name="invoicing.tasks.issue_taxed")
def issue_taxed(*, customer_id: int, **_: Any) -> None:
    """Issue the invoices of a customer that wait for nothing any more."""
    tax_calculations.issue_ready(as_of=timezone.now(), customer_id=customer_id)


@shared_task(name="invoicing.tasks.check_books")
def check_books(**_: Any) -> None:
    """Check the books, as every night."""
    books_checks.run_scheduled(as_of=timezone.now())


@shared_task(name="invoicing.tasks.start_books_check")
def start_books_check(*, user_id: int | None, label: str, **_: Any) -> None:
    """Check the books, because a person asked for it."""
    person = actors.Actor(kind="user", label=label, user_id=user_id)
    books_checks.run(as_of=timezone.now(), trigger=f"started by {label}", actor=person)


@shared_task(name="invoicing.tasks.render_document")
def render_document(*, invoice_id: int, **_: Any) -> None:
    """Make the document of an issued invoice, once."""
    documents.render(invoice_id=invoice_id, at=timezone.now())


@shared_task(name="invoicing.tasks.render_credit_note")
def render_credit_note(*, credit_note_id: int, **_: Any) -> None:
    """Make the document of an issued credit note, once."""
    credit_note_documents.render(credit_note_id=credit_note_id, at=timezone.now())


@shared_task(name="invoicing.tasks.render_receipt")
def render_receipt(*, receipt_id: int, **_: Any) -> None:
    """Make the document of a receipt, once."""
    receipt_documents.render(receipt_id=receipt_id, at=timezone.now())


@shared_task(name="invoicing.tasks.send_delivery")
def send_delivery(*, delivery_id: int, **_: Any) -> None:
    """Send one e-mail that is waiting."""
    deliveries.send(delivery_id=delivery_id, at=timezone.now())


@shared_task(name="invoicing.tasks.mark_overdue")
def mark_overdue(**_: Any) -> None:
    """Mark what is overdue."""
    overdue.mark(as_of=timezone.now())


@shared_task(name="invoicing.tasks.sweep_documents")
def sweep_documents(**_: Any) -> None:
    """Make and send what is waiting."""
    dispatch.sweep(as_of=timezone.now())


@shared_task(name="invoicing.tasks.expire_wallets")
def expire_wallets(**_: Any) -> None:
    """Terminate the wallets whose time is over."""
    wallets.expire(as_of=timezone.now())
