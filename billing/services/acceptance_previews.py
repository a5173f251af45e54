"""What an acceptance would make: done by the very same code, played on to the end of the day's billing, and undone.

Owns the playing. Nothing is numbered, sent or stored, and no file is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from billing.domain import quote_terms
from billing.models import Contract, OrderForm
from billing.services import billing_days, quote_execution, quote_rows
from config.kernel.actors import Actor
from config.platform.services import outbox
from invoicing.models import Invoice


@dataclass(frozen=True)
class Foreseen:
    """What would be there: the contract, if there is one, and the invoices with their lines. The rows exist no more."""

    contract: Contract | None
    invoices: tuple[Invoice, ...]


class _Undo(Exception):
    """Ends the playing, so that nothing of it stays."""


def preview(*, order_form: OrderForm, actor: Actor, at: datetime) -> Foreseen:
    """Accept an order form at an instant, bill the customer by then, and undo it all.

    Raises QuoteNotFound, and what the execution and billing raise: the same would refuse the acceptance.
    """
    found: list[Foreseen] = []
    try:
        with outbox.silence(), transaction.atomic():
            form = quote_rows.locked_form(order_form.pk)
            version = form.version
            made = quote_execution.execute(
                quote=version.quote,
                terms=quote_terms.read(version.terms),
                currency=version.currency,
                seen=version.contract_seen,
                actor=actor,
                at=at,
            )
            known = {invoice.pk for invoice in made.invoices}
            last = max(known, default=Invoice.objects.order_by("-pk").values_list("pk", flat=True).first() or 0)
            billing_days.bill_customers(
                customer_ids=[made.customer.pk], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
            )
            later = Invoice.objects.filter(customer=made.customer, pk__gt=last).values_list("pk", flat=True)
            invoices = Invoice.objects.filter(pk__in={*known, *later}).order_by("pk").prefetch_related("lines")
            found.append(Foreseen(made.contract, tuple(invoices)))
            raise _Undo
    except _Undo:
        return found[0]
