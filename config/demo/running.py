"""Usage of the running month: the whole log once more, spread over the month and sent as far as the month has come.

Owns which request happens when. Pure: the same log, month and instant always give the same events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from config.demo import usage
from config.demo.log import Request
from config.kernel import dates

# Far enough from both ends that no customer's clock shows another month, and there in every February.
_FIRST_DAY = 2
_LOG_STARTS = 17
_STRETCH = 6


def is_running(month: date, *, at: datetime) -> bool:
    """Say whether an instant lies in the month, in UTC. Nothing is played into a month that is over."""
    return month <= at.date() < dates.add_months(month, 1)


def until(at: datetime) -> datetime:
    """Return up to when usage is played: whole days in UTC, so that a second start on a day adds nothing."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def moved(request: Request, *, month: date) -> datetime:
    """Return when a request happens in the month: a day of the log becomes six, the time of day stays."""
    day = _FIRST_DAY + (request.at.day - _LOG_STARTS) * _STRETCH + request.line % _STRETCH
    return request.at + (month.replace(day=day) - request.at.date())


def events(
    requests: Sequence[Request], *, month: date, account_of: Mapping[str, str], until: datetime
) -> Iterator[dict[str, object]]:
    """Return the events of all requests that have happened until an instant, in the order in which they happen."""
    happened = sorted((moved(request, month=month), request.line, request) for request in requests)
    for at, _, request in happened:
        if at <= until:
            yield usage.event(request, month=month, at=at, account=usage.account(request, account_of))
