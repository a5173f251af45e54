"""What of documents and money waits for a person, as rows of work queues. Never writes."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery

from invoicing.models import (
    BooksCheck,
    BooksCheckResult,
    CreditNote,
    Delivery,
    Invoice,
    InvoiceDispute,
    Payment,
    PaymentRelease,
)
from invoicing.queries import held_payments, receivables

_DOCUMENTS = ("invoice", "credit_note", "payment_receipt", "payment_request")


def drafts(at: datetime) -> QuerySet[Invoice]:
    """Return drafts, since they were made."""
    return _with_total(Invoice.objects.filter(status=Invoice.Status.DRAFT), since="created_at")


def untaxed(at: datetime) -> QuerySet[Invoice]:
    """Return invoices that wait for taxes which somebody else works out, and those where that failed."""
    rows = Invoice.objects.filter(status__in=[Invoice.Status.PENDING, Invoice.Status.FAILED])
    return _with_total(rows, since="created_at")


def failed_payments(at: datetime) -> QuerySet[Invoice]:
    """Return issued invoices whose payment failed, with what is due of them; not those that are written off."""
    rows = receivables.open_invoices().filter(payment_status=Invoice.PaymentStatus.FAILED).order_by()
    return rows.annotate(queue_since=F("finalized_at"), queue_currency=F("currency"), queue_amount=receivables.DUE)


def held(at: datetime) -> QuerySet[Payment]:
    """Return payments of which something is allocated to no invoice, with that part."""
    released = PaymentRelease.objects.filter(allocation__payment=OuterRef("pk"))
    rows = held_payments.with_held(Payment.objects.filter(Exists(released))).filter(held_amount__gt=0)
    return rows.annotate(queue_since=F("created_at"), queue_currency=F("currency"), queue_amount=F("held_amount"))


def refunds(at: datetime) -> QuerySet[CreditNote]:
    """Return issued credit notes of which something is still to be paid back."""
    rows = CreditNote.objects.filter(
        status=CreditNote.Status.FINALIZED,
        refund_status__in=[CreditNote.RefundStatus.PENDING, CreditNote.RefundStatus.FAILED],
    )
    return rows.annotate(queue_since=F("finalized_at"), queue_currency=F("currency"), queue_amount=F("refund_amount"))


def disputed(at: datetime) -> QuerySet[Invoice]:
    """Return invoices with an open dispute, since the first of them, with what is disputed."""
    open_disputes = InvoiceDispute.objects.filter(status=InvoiceDispute.Status.OPEN)
    first = open_disputes.filter(invoice=OuterRef("pk")).order_by().values("invoice").annotate(at=Min("opened_at"))
    rows = Invoice.objects.filter(pk__in=open_disputes.values("invoice"))
    return rows.annotate(
        queue_since=Subquery(first.values("at")), queue_currency=F("currency"), queue_amount=F("disputed_amount")
    )


def failing_mail(at: datetime) -> QuerySet[Delivery]:
    """Return e-mails that did not get out, unless the document was sent again since. Those of invoices have a total."""
    failing = Q(state=Delivery.State.FAILED) | Q(state=Delivery.State.PENDING, attempts__gt=0, error__gt="")
    rows = Delivery.objects.filter(failing)
    for document in _DOCUMENTS:
        later = Delivery.objects.filter(**{document: OuterRef(document), "number__gt": OuterRef("number")})
        rows = rows.filter(Q(**{f"{document}__isnull": True}) | ~Exists(later))
    return rows.annotate(
        queue_since=F("created_at"), queue_currency=F("invoice__currency"), queue_amount=F("invoice__total_amount")
    )


def broken_checks(at: datetime) -> QuerySet[BooksCheckResult]:
    """Return the checks that do not hold, or could not be run, of the newest run of the books check that is done."""
    newest = BooksCheck.objects.exclude(status=BooksCheck.Status.RUNNING).order_by("-pk").values("pk")[:1]
    rows = BooksCheckResult.objects.filter(books_check=Subquery(newest))
    return rows.exclude(status=BooksCheckResult.Status.PASSED).annotate(
        queue_since=F("books_check__as_of"), queue_target=F("books_check_id")
    )


def _with_total(rows: QuerySet[Invoice], *, since: str) -> QuerySet[Invoice]:
    return rows.annotate(queue_since=F(since), queue_currency=F("currency"), queue_amount=F("total_amount"))
