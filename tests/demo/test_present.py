"""The running month of the sample as a whole: what is in it, and what is sent before its subscriptions begin."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from config.demo import builds, present, running, tour, workspaces

LAST, MONTH = date(2026, 1, 1), date(2026, 2, 1)
AT = datetime(2026, 2, 10, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def now():
    return tour.Material.read(LAST).present


class Recorder:
    """Keeps what is sent; nothing is there yet."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def rows(self, path: str, **filters: Any) -> list[dict[str, Any]]:
        return []

    def send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.sent.append((path, body))
        return {}


def test_month_follows_the_last_full_one(now):
    assert now.month == MONTH
    assert {body["subscription_at"][:10] for body in now.workspaces()} <= {"2025-12-31", "2026-01-01"}


def test_whole_days_are_played():
    assert running.until(AT) == datetime(2026, 2, 10, tzinfo=UTC)
    assert running.until(running.until(AT)) == running.until(AT)  # a second start on the day adds nothing


def test_kinds_of_events_have_ids_of_their_own(now):
    until = datetime(2026, 3, 1, tzinfo=UTC)
    kinds = (now.usage(until=until), now.extras(until=until), now.seats(until=until), now.builds(until=until))
    found = [event for kind in (*kinds, now.late()) for event in kind]

    keys = {(event["external_subscription_id"], event["transaction_id"]) for event in found}
    assert len(keys) == len(found) == 10_000 + 6 + 9 + 12 + 12 + 20


def test_usage_of_past_months_goes_in_before_its_subscriptions(now):
    api = Recorder()

    present.begin(api, now, at=AT)

    (path, first), *rest = api.sent
    assert path == "events/batch"
    codes = Counter(event["code"] for event in first["events"])
    assert codes == {"seats": 2 + 4 + 3, "build_minutes": 19}  # nothing of the running month
    assert [path for path, _ in rest] == ["subscriptions"] * (len(workspaces.HOLDERS) + len(builds.BACKDATED))
