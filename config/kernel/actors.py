"""Who does something: a person, an API client, a job or the system itself. A plain value for the audit trail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """``kind`` is one of user, api_key, job, system; ``label`` is what the audit trail shows of it."""

    kind: str
    label: str
    user_id: int | None = None


SYSTEM = Actor(kind="system", label="system")


def job(name: str) -> Actor:
    """The periodic job of that name."""
    return Actor(kind="job", label=name)
