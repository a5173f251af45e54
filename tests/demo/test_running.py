"""The running month of the sample: the whole log spread over it, as far as the month has come."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from config.demo import astray, log, running, usage

MONTH = date(2026, 2, 1)  # the shortest there is
END = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def requests():
    return log.read()


@pytest.fixture(scope="module")
def account_of(requests):
    return usage.accounts(requests)


@pytest.fixture(scope="module")
def account(account_of):
    return next(account for account in account_of.values() if account != usage.COMMUNITY)


def test_whole_log_is_spread_over_the_month_in_the_order_of_time(requests, account_of):
    events = list(running.events(requests, month=MONTH, account_of=account_of, until=END))

    assert len({event["transaction_id"] for event in events}) == 10_000
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    days = Counter(datetime.fromtimestamp(at, UTC).date() for at in times)
    # Days 2 to 25: no customer's clock, hours before or after UTC, shows another month.
    assert sorted(days) == [date(2026, 2, day) for day in range(2, 26)]
    assert min(days.values()) > 200


def test_what_was_sent_stays_the_beginning_of_what_is_sent_later(requests, account_of):
    noon = datetime(2026, 2, 10, 12, tzinfo=UTC)
    early = list(running.events(requests, month=MONTH, account_of=account_of, until=noon))
    later = list(running.events(requests, month=MONTH, account_of=account_of, until=noon.replace(day=11)))

    assert 0 < len(early) < len(later)
    assert later[: len(early)] == early
    assert early[-1]["timestamp"] <= noon.timestamp() < later[len(early)]["timestamp"]
    assert not list(running.events(requests, month=MONTH, account_of=account_of, until=noon.replace(day=1)))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 2, 1, tzinfo=UTC), True),
        (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 1, tzinfo=UTC), False),  # what is missing would be late usage
    ],
)
def test_month_is_played_while_it_runs(at, expected):
    assert running.is_running(MONTH, at=at) is expected


def test_late_events_are_requests_that_their_month_left_out(requests, account_of, account):
    month = date(2026, 1, 1)
    late = astray.late(requests, month_number=4, month=month, account_of=account_of, account=account)

    played = usage.events(usage.played(requests, month_number=4), month=month, account_of=account_of)
    known = {event["transaction_id"] for event in played}
    assert len(late) == 12
    assert {event["external_subscription_id"] for event in late} == {usage.subscription_id(account)}
    for event in late:
        assert event["transaction_id"].startswith("late-2026-01-")
        assert event["transaction_id"].removeprefix("late-") not in known
        assert datetime.fromtimestamp(event["timestamp"], UTC).date().replace(day=1) == month


def test_first_event_is_withdrawn_and_the_second_halved():
    events = [
        {
            "transaction_id": f"e{number}",
            "external_subscription_id": "sub_1",
            "properties": {"bytes": size, "path": "/"},
        }
        for number, size in enumerate((0, 700, 1001, 50))
    ]

    withdrawn, amended = astray.corrections(events)

    assert (withdrawn["action"], withdrawn["corrects"], withdrawn["transaction_id"]) == ("withdraw", "e1", "fix-e1")
    assert (amended["action"], amended["corrects"]) == ("amend", "e2")
    assert amended["properties"] == {"bytes": 500, "egress_gb": "0.0000005", "path": "/"}  # 1001 // 2
    assert list(astray.corrections(events[:1])) == []  # nothing was sent


def test_unknown_events_have_a_code_or_a_subscription_that_is_not_there(requests, account_of, account):
    found = astray.unknown(requests, month=MONTH, account_of=account_of, account=account, until=END)

    kinds = Counter((event["code"], event["external_subscription_id"]) for event in found)
    assert kinds == {
        (astray.UNKNOWN_CODE, usage.subscription_id(account)): 6,
        (usage.EVENT_CODE, astray.CLOSED): 3,
    }
    assert len({event["transaction_id"] for event in found}) == 9
    assert astray.UNKNOWN_CODE != usage.EVENT_CODE
