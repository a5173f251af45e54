"""The sample's contract: drafted and activated once, with phases that follow each other."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from config.demo import agreement, buyers

PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])


class Recorder:
    """Answers as an installation without contracts; what is drafted, it keeps."""

    def __init__(self) -> None:
        self.drafted: list[dict[str, Any]] = []
        self.paths: list[str] = []

    def rows(self, path: str) -> Iterator[dict[str, Any]]:
        assert path == "contracts"
        yield from self.drafted

    def send(self, path: str, body: dict[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:
        self.paths.append(path)
        if path == "contracts":
            self.drafted.append(body["contract"])
        return {"contract": {"number": "CT-000001"}}


def test_the_contract_is_made_once() -> None:
    api: Any = Recorder()
    for _ in range(2):
        agreement.make(api, PEOPLE, month=date(2026, 5, 1))
    assert api.paths == ["contracts", "contracts/CT-000001/activate"]
    (body,) = api.drafted
    starts = [phase["starts_on"] for phase in body["items"][0]["phases"]]
    assert starts == ["2026-05-01", "2026-08-01", "2026-11-01"]
    assert "plan_overrides" not in body["items"][0]["phases"][-1]
