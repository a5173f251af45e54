"""Nothing is rendered or sent here: messages go nowhere."""

import pytest

from config.kernel import jobs


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing."""

    monkeypatch.setattr(jobs, "enqueue", drop)
