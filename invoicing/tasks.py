"""Background work: making documents, sending them, marking what is overdue. A task makes one service call."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel import jobs
from invoicing.services import deliveries, dispatch, documents, overdue

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


@shared_task(name="invoicing.tasks.render_document")
def render_document(*, invoice_id: int, **_: Any) -> None:
    """Make the document of an issued invoice, once."""
    documents.render(invoice_id=invoice_id, at=timezone.now())


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
