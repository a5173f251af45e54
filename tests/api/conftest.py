"""Every answer that a test of the API gets is held against the description of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.factories import described


@pytest.fixture(scope="session", autouse=True)
def _as_described() -> Iterator[None]:
    """Fail a test whose answers are not as described: a status, a field, a type."""
    send = Client.request

    def checked(client: Client, **request: Any) -> Any:
        response = send(client, **request)
        assert not (found := described.problems(response)), "\n".join(found)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "request", checked)
        yield
