"""What moved on an account, posting by posting, with the balance after each. Never writes.

In the order of the books: accounting date, then booking. Pages follow each other by a cursor, so that an account of a
million postings is read from any place at the same cost, and a posting booked meanwhile moves no page.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet, Sum
from moneyed import Money

from config.kernel import errors, money
from invoicing.models import LedgerAccount, LedgerPosting
from invoicing.queries import ledger

SIZE = 100
MOST = 1000


@dataclass(frozen=True)
class Cursor:
    """The last posting of a page: its accounting date and id."""

    day: date
    posting_id: int

    def __str__(self) -> str:
        return f"{self.day.isoformat()}_{self.posting_id}"


@dataclass(frozen=True)
class Line:
    """A posting with the balance after it; a debit is positive."""

    posting: LedgerPosting
    balance: Money


@dataclass(frozen=True)
class Statement:
    """A page. ``opening`` is the balance before its first line; ``next_cursor`` is None on the last page."""

    account: LedgerAccount
    currency: str
    opening: Money
    lines: tuple[Line, ...]
    closing: Money
    next_cursor: Cursor | None


def cursor(text: str) -> Cursor:
    """Read a cursor. Raises Invalid for anything that is none."""
    day, _, posting_id = text.partition("_")
    try:
        if not (posting_id.isascii() and posting_id.isdigit() and len(posting_id) < 19):
            raise ValueError(text)
        return Cursor(date.fromisoformat(day), int(posting_id))
    except ValueError:
        raise errors.Invalid("validation_errors", "There is no such page.", {"after": ["value_is_invalid"]}) from None


def page(
    *,
    account: LedgerAccount,
    currency: str,
    since: date | None = None,
    until: date | None = None,
    known_on: datetime | None = None,
    after: Cursor | None = None,
    size: int = SIZE,
) -> Statement:
    """Return a page of an account in one currency; both days are included. Three queries.

    ``opening`` has all that is before ``since`` and before the page.
    """
    every = ledger.known(known_on=known_on).filter(account=account, currency=currency)
    shown = _between(every, since, until)
    if after is not None:
        shown = shown.filter(
            Q(entry__accounting_date__gt=after.day) | Q(entry__accounting_date=after.day, pk__gt=after.posting_id)
        )
    ordered = shown.select_related("entry__customer", "invoice").order_by("entry__accounting_date", "pk")
    found = list(ordered[: min(size, MOST) + 1])
    rows = found[: min(size, MOST)]
    opening = _opening(every, since, after, currency)
    balances = list(itertools.accumulate((row.amount for row in rows), initial=opening))
    last = rows[-1] if rows else None
    return Statement(
        account=account,
        currency=currency,
        opening=opening,
        lines=tuple(Line(row, balance) for row, balance in zip(rows, balances[1:], strict=True)),
        closing=balances[-1],
        next_cursor=Cursor(last.entry.accounting_date, last.pk) if last and len(found) > len(rows) else None,
    )


def currencies(*, account: LedgerAccount) -> list[str]:
    """Return the currencies in which something was posted to an account."""
    found = LedgerPosting.objects.filter(account=account).order_by("currency")
    return list(found.values_list("currency", flat=True).distinct())


def _between(rows: QuerySet[LedgerPosting], since: date | None, until: date | None) -> QuerySet[LedgerPosting]:
    if since is not None:
        rows = rows.filter(entry__accounting_date__gte=since)
    return rows if until is None else rows.filter(entry__accounting_date__lte=until)


def _opening(rows: QuerySet[LedgerPosting], since: date | None, after: Cursor | None, currency: str) -> Money:
    if after is not None:
        before = Q(entry__accounting_date__lt=after.day) | Q(entry__accounting_date=after.day, pk__lte=after.posting_id)
    elif since is not None:
        before = Q(entry__accounting_date__lt=since)
    else:
        return money.zero(currency)
    total = rows.filter(before).aggregate(total=Sum("amount"))["total"]
    return money.zero(currency) if total is None else Money(total, currency)
