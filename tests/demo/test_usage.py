"""From requests to events: every request once, in its month, under a pseudonym."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from config.demo import log, usage

MONTH = date(2026, 2, 1)


@pytest.fixture(scope="module")
def requests():
    return log.read()


@pytest.fixture(scope="module")
def account_of(requests):
    return usage.accounts(requests)


def test_forty_accounts_are_customers_of_their_own(requests, account_of):
    counts = {}
    for request in requests:
        account = account_of[request.address]
        counts[account] = counts.get(account, 0) + 1

    own = [count for account, count in counts.items() if account != usage.COMMUNITY]
    assert len(own) == 40
    assert max(own) == 482
    assert min(own) == 33
    assert counts[usage.COMMUNITY] + sum(own) == 10_000


def test_accounts_do_not_depend_on_the_order_of_the_log(requests, account_of):
    # Ties at the 40th place would otherwise fall to whoever comes first.
    for other in (requests[::-1], requests[5_000:] + requests[:5_000], requests[1::2] + requests[::2]):
        found = usage.accounts(other)
        assert found == account_of
        assert list(found)[:40] == list(account_of)[:40]


def test_months_grow_and_the_last_one_has_everything(requests):
    months = [usage.played(requests, month_number=number) for number in range(len(usage.SHARES))]

    assert [len(month) for month in months] == [3_000, 4_000, 5_000, 7_000, 8_000, 10_000]
    assert months[-1] == requests
    for smaller, larger in pairwise(months):
        assert {request.line for request in smaller} < {request.line for request in larger}


def test_events_add_up_to_the_log_exactly(requests, account_of):
    events = list(usage.events(requests, month=MONTH, account_of=account_of))

    assert len({event["transaction_id"] for event in events}) == 10_000
    assert sum(event["properties"]["bytes"] for event in events) == 2_747_282_740
    assert sum(Decimal(event["properties"]["egress_gb"]) for event in events) == Decimal("2.747282740")
    assert {event["code"] for event in events} == {"requests"}
    # The same request in another month is another event.
    other = {event["transaction_id"] for event in usage.events(requests, month=date(2026, 3, 1), account_of=account_of)}
    assert not other & {event["transaction_id"] for event in events}


def test_event_keeps_day_of_month_and_time_of_day(requests, account_of):
    event = next(usage.events(requests, month=MONTH, account_of=account_of))
    first = requests[0]

    moved = datetime.fromtimestamp(event["timestamp"], UTC)
    assert moved.date() == date(2026, 2, first.at.day)
    assert moved.time() == first.at.astimezone(UTC).time()
    assert event["transaction_id"] == "2026-02-00001"
    assert event["external_subscription_id"] == f"sub_{account_of[first.address]}"
    assert event["properties"]["path"] == first.path


def test_small_sizes_are_written_without_an_exponent(account_of):
    address = next(iter(account_of))
    tiny = log.Request(1, address, datetime(2015, 5, 17, tzinfo=UTC), "GET", "/", 200, 1)

    (event,) = usage.events([tiny], month=MONTH, account_of=account_of)

    assert event["properties"]["egress_gb"] == "0.000000001"


def test_no_client_address_is_in_any_event(requests, account_of):
    text = json.dumps(list(usage.events(requests, month=MONTH, account_of=account_of)))

    assert not set(re.findall(r"\d+\.\d+\.\d+\.\d+", text)) & {request.address for request in requests}


def test_months_end_with_the_one_named():
    assert usage.months(date(2026, 2, 14)) == [
        date(2025, 9, 1), date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1),
    ]  # fmt: skip
