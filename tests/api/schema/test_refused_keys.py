"""Keys that may not: each operation refuses them as it is described, before it looks at what was sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from tests.factories import customers, described, platform
from tests.factories.platform import ApiClient

OF_NO_USE = {"books_check": ["write"]}
"""A right that no operation asks for."""


def addresses() -> list[tuple[str, str, str]]:
    """Return method, address and name of every operation that needs a key."""
    return [
        (method, path.format_map(_Names()), operation["operationId"])
        for path, methods in described.document()["paths"].items()
        for method, operation in methods.items()
        if operation.get("security")
    ]


def refused(client: ApiClient, method: str, address: str) -> tuple[int, list[str]]:
    """Return the status of a request without a body that leaves no trace, and what is not as described."""
    with transaction.atomic():
        response: Any = client.generic(method.upper(), address, b"", content_type="application/json")
        transaction.set_rollback(True)
    return response.status_code, described.problems(response)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("terms", "status"),
    [({"rights": OF_NO_USE}, 403), ({"rate_limit": 1}, 429)],
)
def test_refusals_of_keys(terms: dict[str, Any], status: int) -> None:
    customers.make_default_entity()
    client = platform.client_of(**terms)
    client.raise_request_exception = False
    client.get("/api/v1/plans")
    wrong = []
    for method, address, name in addresses():
        found, problems = refused(client, method, address)
        wrong += problems
        if found != status:
            wrong.append(f"{name}: {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_no_key() -> None:
    client = ApiClient("")
    answers = {name: refused(client, method, address) for method, address, name in addresses()}
    assert set(map(str, answers.values())) == {"(401, [])"}, answers


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "1" if key == "number" else "none"
