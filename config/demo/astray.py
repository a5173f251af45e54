"""Usage that goes wrong in the sample: some comes after its month was billed, some was a mistake, some nobody counts.

All of it stands for real requests. None of it is on the invoices that are compared with the log: late usage is held
until a person decides, and mistakes and unknown codes are of the running month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from config.demo import running, usage
from config.demo.log import Request

LATE_RANK = 0
MISTAKEN_RANK = 2
UNKNOWN_RANK = 7
UNKNOWN_CODE = "edge_requests"
CLOSED = "sub_acct_closed"
_LATE = 12
_UNKNOWN = 6
_OF_NOBODY = 3


def late(
    requests: Sequence[Request], *, month_number: int, month: date, account_of: Mapping[str, str], account: str
) -> list[dict[str, object]]:
    """Return a few events of a month that is billed: requests of an account that were not played in it."""
    played = {request.line for request in usage.played(requests, month_number=month_number)}
    left = (one for one in _of(requests, account_of, account) if one.line not in played)
    found = usage.events(islice(left, _LATE), month=month, account_of=account_of)
    return [event | {"transaction_id": f"late-{event['transaction_id']}"} for event in found]


def corrections(events: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, object]]:
    """Return the bodies that take the first of these events back and halve the size of the second; empty ones stay."""
    sized = (event for event in events if event["properties"]["bytes"])
    for number, event in enumerate(islice(sized, 2)):
        body: dict[str, object] = {
            "transaction_id": f"fix-{event['transaction_id']}",
            "corrects": event["transaction_id"],
            "external_subscription_id": event["external_subscription_id"],
        }
        if number == 0:
            yield body | {"action": "withdraw", "reason": "Sent by a test client."}
        else:
            size = event["properties"]["bytes"] // 2
            halved = {**event["properties"], "bytes": size, "egress_gb": f"{Decimal(size) / 10**9:f}"}
            yield body | {"action": "amend", "properties": halved, "reason": "The gateway counted the answer twice."}


def unknown(
    requests: Sequence[Request], *, month: date, account_of: Mapping[str, str], account: str, until: datetime
) -> list[dict[str, object]]:
    """Return a few events that are not billable yet: of a code that no metric reads, and of no subscription."""
    own = running.events(_of(requests, account_of, account), month=month, account_of=account_of, until=until)
    chosen = list(islice(own, _UNKNOWN + _OF_NOBODY))
    coded = [event | {"code": UNKNOWN_CODE} for event in chosen[:_UNKNOWN]]
    homeless = [event | {"external_subscription_id": CLOSED} for event in chosen[_UNKNOWN:]]
    return [event | {"transaction_id": f"edge-{event['transaction_id']}"} for event in [*coded, *homeless]]


def _of(requests: Sequence[Request], account_of: Mapping[str, str], account: str) -> list[Request]:
    return [request for request in requests if usage.account(request, account_of) == account]
