"""What the sample keeps an eye on: made once, and never against what staff changed meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest

from config.demo import buyers, usage, watching
from config.demo.api import Refused

PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])


class Recorder:
    """Answers as an installation whose subscriptions run, but for the first; what is agreed, it keeps."""

    def __init__(self) -> None:
        self.alerts: dict[str, list[Any]] = {}
        self.caps: dict[str, int] = {}
        self.calls = 0
        self.status = 404

    def rows(self, path: str) -> Iterator[dict[str, Any]]:
        if path == "subscriptions":
            for buyer in PEOPLE[1:]:
                yield {"external_id": usage.subscription_id(buyer.external_id)}
        else:
            yield from self.alerts.get(path.split("/")[1], [])

    def find(self, path: str, name: str) -> dict[str, Any]:
        if path.split("/")[1] not in self.caps:
            raise Refused(f"GET {path}/{name}", self.status, {})
        return {}

    def send(self, path: str, body: dict[str, Any]) -> None:
        self.calls += 1
        self.alerts[path.split("/")[1]] = body["alerts"]

    def change(self, path: str, body: dict[str, Any]) -> None:
        self.calls += 1
        self.caps[path.split("/")[1]] = body["spend_cap"]["amount_cents"]


def test_those_who_run_are_watched_and_capped_once() -> None:
    api: Any = Recorder()
    watching.make(api, PEOPLE)
    names = [usage.subscription_id(buyer.external_id) for buyer in PEOPLE[1:3]]
    assert [row["code"] for row in api.alerts[names[0]]] == ["month", "lifetime"]
    assert api.caps == dict(zip(names, watching.CAPS, strict=True))
    made = api.calls
    watching.make(api, PEOPLE)
    assert api.calls == made


def test_what_staff_agreed_stays() -> None:
    api: Any = Recorder()
    name = usage.subscription_id(PEOPLE[1].external_id)
    api.alerts[name], api.caps[name] = [{"code": "own"}], 5
    watching.make(api, PEOPLE)
    assert (api.alerts[name], api.caps[name]) == ([{"code": "own"}], 5)


def test_another_refusal_is_told() -> None:
    api: Any = Recorder()
    api.status = 500
    with pytest.raises(Refused):
        watching.make(api, PEOPLE)
    assert api.caps == {}
