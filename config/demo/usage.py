"""From logged requests to usage events: whose account a request is, in which months it is played, and its event.

Pure and deterministic: the same log and the same month always give the same events, so sending them again changes
nothing. Pseudonyms stand for the client addresses.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from config.demo.log import Request
from config.kernel import dates

CUSTOMERS = 40
COMMUNITY = "community"
EVENT_CODE = "requests"
SHARES = (3, 4, 5, 7, 8, 10)
"""Tenths of the log that are played in each month, oldest first; the last month gets the whole log."""

PREFIX = "acct_"
_KEY = b"sample company"
_SPREAD = 7919  # a prime that is no multiple of ten deals the lines of the log out evenly


@dataclass(frozen=True, slots=True)
class Totals:
    """What a month's requests add up to."""

    requests: int
    size: int


def pseudonym(address: str) -> str:
    """Return the account id that stands for a client address: a keyed digest, always the same."""
    return PREFIX + hashlib.blake2b(address.encode(), key=_KEY, digest_size=6).hexdigest()


def accounts(requests: Sequence[Request]) -> dict[str, str]:
    """Return the account of every address: its own for the busiest, one account in common for everybody else.

    Addresses that are equally busy are ordered by their pseudonym, so that the log's order does not matter.
    """
    counted = Counter(request.address for request in requests)
    busiest = sorted(counted, key=lambda address: (-counted[address], pseudonym(address)))[:CUSTOMERS]
    chosen = set(busiest)
    own = {address: pseudonym(address) for address in busiest}
    return own | {address: COMMUNITY for address in counted if address not in chosen}


def account(request: Request, account_of: Mapping[str, str]) -> str:
    """Return whose request it is."""
    return account_of[request.address]


def months(last: date) -> list[date]:
    """Return the first days of the months that are played, oldest first, ending with the month of ``last``."""
    first = last.replace(day=1)
    return [dates.add_months(first, number - len(SHARES) + 1) for number in range(len(SHARES))]


def played(requests: Sequence[Request], *, month_number: int) -> list[Request]:
    """Return the requests of the n-th month from the oldest: a growing, fixed part of the log."""
    tenths = SHARES[month_number]
    return [request for request in requests if request.line * _SPREAD % 10 < tenths]


def totals(requests: Sequence[Request]) -> Totals:
    """Add up requests and bytes."""
    return Totals(len(requests), sum(request.size for request in requests))


def events(requests: Sequence[Request], *, month: date, account_of: Mapping[str, str]) -> Iterator[dict[str, object]]:
    """Return an event for each request, moved by whole days into the month."""
    for request in requests:
        moved = request.at + timedelta(days=_days_to(request.at.date(), month))
        yield event(request, month=month, at=moved, account=account_of[request.address])


def event(request: Request, *, month: date, at: datetime, account: str) -> dict[str, object]:
    """Return the event of a request in a month, moved to an instant. ``egress_gb`` is exact: bytes / 10⁹."""
    return {
        "transaction_id": f"{month:%Y-%m}-{request.line:05d}",
        "external_subscription_id": subscription_id(account),
        "code": EVENT_CODE,
        "timestamp": int(at.timestamp()),
        "properties": {
            "bytes": request.size,
            "egress_gb": f"{Decimal(request.size) / 10**9:f}",
            "status": str(request.status),
            "method": request.method,
            "path": request.path,
        },
    }


def subscription_id(account: str) -> str:
    """Return the external id of an account's subscription."""
    return f"sub_{account}"


def _days_to(day: date, month: date) -> int:
    return (month.replace(day=day.day) - day).days
