"""Signatures on paper: whether the day beside one is possible, and when one counts that came back after the last day.

Owns these rules; recording one is `order_forms`'.
"""

from __future__ import annotations

from datetime import date, datetime

from billing.domain import quote_states
from billing.models import OrderForm, QuoteVersion
from billing.queries import quotes as known
from billing.services import quote_rows
from config.kernel import dates, errors


def is_late(*, order_form: OrderForm, at: datetime) -> bool:
    """Say whether the last day of an order form is over."""
    is_over = order_form.expires_at is not None and order_form.expires_at <= at
    return is_over or order_form.state == OrderForm.State.EXPIRED


def demand(*, order_form: OrderForm, signed_on: date, at: datetime) -> None:
    """Demand a day on which it could be signed: from its approval to its last day, and not to come.

    Days are local to the customer. Raises Invalid (`signed_on`).
    """
    version = order_form.version
    zone = dates.zone(known.timezone_of(version.quote))
    first = dates.local_date(order_form.created_at, zone)
    last = min(quote_rows.today(version.quote, at), version.valid_until or date.max)
    if not first <= signed_on <= last:
        message = f"The document could be signed from {first} to {last}."
        raise errors.Invalid("validation_errors", message, {"signed_on": ["value_is_out_of_range"]})


def demand_late(*, order_form: OrderForm, has_document: bool) -> None:
    """Demand what makes a late signature count: its document, and no other version that is offered by now.

    Raises Invalid (`signed_document`), NotAllowed (`another_version_is_offered`).
    """
    if not has_document:
        message = "A signature that came back late needs the signed document."
        raise errors.Invalid("validation_errors", message, {"signed_document": ["value_is_mandatory"]})
    version = order_form.version
    others = QuoteVersion.objects.filter(quote=version.quote).exclude(pk=version.pk)
    if others.exclude(state__in=quote_states.OVER).exists():
        raise errors.NotAllowed("another_version_is_offered", "Another version took its place: void that one first.")
