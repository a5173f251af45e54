"""The rows of a quote under its lock, their numbers, and what the audit trail keeps of them.

Owns the order of locks: the quote first, then its version and order form, then whatever is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from billing.models import OrderForm, Quote, QuoteVersion
from billing.queries import quotes as known
from config.kernel import dates, db, money
from config.kernel.actors import Actor
from config.platform.services import numbers


def locked(quote_id: int) -> Quote:
    """Lock a quote until the transaction ends. Raises QuoteNotFound (`quote_not_found`)."""
    rows = Quote.objects.select_related("customer__billing_entity", "billing_entity", "contract", "owner")
    try:
        return db.lock_one(rows.filter(pk=quote_id))
    except Quote.DoesNotExist:
        raise known.QuoteNotFound("quote_not_found", "There is no such quote.") from None


def locked_version(version_id: int) -> QuoteVersion:
    """Lock a version, its quote first. Raises QuoteNotFound (`quote_version_not_found`)."""
    quote_id = QuoteVersion.objects.filter(pk=version_id).values_list("quote_id", flat=True).first()
    if quote_id is None:
        raise known.QuoteNotFound("quote_version_not_found", "There is no such version of a quote.")
    quote = locked(quote_id)
    version = db.lock_one(QuoteVersion.objects.filter(pk=version_id))
    version.quote = quote
    return version


def locked_form(order_form_id: int) -> OrderForm:
    """Lock an order form, its quote and version first. Raises QuoteNotFound (`order_form_not_found`)."""
    version_id = OrderForm.objects.filter(pk=order_form_id).values_list("version_id", flat=True).first()
    if version_id is None:
        raise known.QuoteNotFound("order_form_not_found", "There is no such order form.")
    version = locked_version(version_id)
    form = db.lock_one(OrderForm.objects.filter(pk=order_form_id))
    form.version = version
    return form


def today(quote: Quote, at: datetime) -> date:
    """Return the local date of an instant where the customer is."""
    return dates.local_date(at, dates.zone(known.timezone_of(quote)))


def number(*, prefix: str, quote_day: date) -> str:
    """Take the next number of a kind of document: ``QT-2026-0001``. Each year counts from 1, without a gap.

    Needs a transaction.
    """
    (found,) = numbers.take(scope=f"quotes:{prefix}:{quote_day.year}")
    return f"{prefix}-{quote_day.year}-{found:04d}"


def facts(version: QuoteVersion) -> dict[str, Any]:
    """Return what the audit trail keeps of a version."""
    total = version.total_amount
    return {
        "version": version.number,
        "state": version.state,
        "currency": version.currency,
        "total_cents": None if total is None else money.to_minor(total),
        "discount_rate": str(version.discount_rate),
        "valid_until": version.valid_until,
        "terms_sha256": version.terms_sha256,
    }


def person_of(actor: Actor) -> int | None:
    """Return the person who acts; an API key, a customer or a job is none."""
    return actor.user_id if actor.kind == "user" else None


def behind(known: Iterable[int], actor: Actor) -> list[int]:
    """Return the people behind a version with those who know the secret of the key that acts now, sorted."""
    return sorted({*known, *actor.behind})
