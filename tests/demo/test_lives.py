"""What is agreed for the time to come in the sample: once, and never against what staff did meanwhile."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from config.demo import builds, buyers, lives, workspaces

MONTH = date(2026, 6, 1)
PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])


class Recorder:
    """Answers as an installation whose build runners are active; what happens to them, it keeps."""

    def __init__(self) -> None:
        self.statuses: dict[str, list[str]] = {one.external_id(PEOPLE): ["active"] for one in builds.HOLDERS}
        self.opened: dict[str, str] = {}
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def rows(self, path: str, **filters: Any) -> Iterator[dict[str, Any]]:
        if path == "subscriptions":
            yield from ({"status": status} for status in self.statuses.get(filters["external_id"], []))
        elif (invoice := self.opened.get(filters["external_customer_id"])) is not None:
            assert filters["status[]"] == ["open"]
            yield {"lago_id": invoice, "total_due_amount_cents": 1_234}

    def send(self, path: str, body: dict[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:
        self.sent.append((path, body))
        if path == "payments":
            self.opened.clear()
        elif path.endswith("/pause"):
            self.statuses[path.split("/")[1]] = ["terminated", "paused"]
        elif "activation_rules" in body["subscription"]:
            self.statuses[body["subscription"]["external_id"]] = ["incomplete"]
            self.opened[body["subscription"]["external_customer_id"]] = f"invoice-{len(self.opened)}"
        else:
            self.statuses[body["subscription"]["external_id"]].append("pending")
        return {}


def test_everything_is_agreed_once():
    api: Any = Recorder()
    for _ in range(2):
        lives.make(api, PEOPLE, month=MONTH)

    paused, change, first, second, payment = api.sent
    assert paused[1]["resume_on"] == "2026-08-01"
    assert change[1]["subscription"]["change_at"] == "2026-07-16"
    assert change[1]["subscription"]["plan_code"] == builds.COMMITTED
    for (_, body), rank in ((first, lives.WAITS_RANK), (second, lives.PAID_RANK)):
        assert body["subscription"]["external_id"] == workspaces.subscription_id(PEOPLE[rank].external_id)
        assert "subscription_at" not in body["subscription"]  # it begins now
    assert payment == (
        "payments",
        {"payment": {"invoice_id": "invoice-1", "amount_cents": 1_234, "reference": "Card"}},
    )


def test_what_staff_ended_stays_ended():
    api: Any = Recorder()
    for external_id in api.statuses:
        api.statuses[external_id] = ["terminated"]
    for rank in (lives.WAITS_RANK, lives.PAID_RANK):
        api.statuses[workspaces.subscription_id(PEOPLE[rank].external_id)] = ["canceled"]

    lives.make(api, PEOPLE, month=MONTH)

    assert api.sent == []
