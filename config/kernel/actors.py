"""Who does something: a person, an API client, a customer, a job or the system itself.

A plain value for the audit trail.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """``kind`` is one of user, api_key, job, system, customer; ``label`` is what the audit trail shows of it.

    ``address`` and ``client`` say from where it was done, if it was by a request. ``behind`` are the ids of the people
    who know the secret of an API key: what it asks for counts as theirs where a second person is needed.
    """

    kind: str
    label: str
    user_id: int | None = None
    address: str = ""
    client: str = ""
    behind: tuple[int, ...] = ()


SYSTEM = Actor(kind="system", label="system")


def job(name: str) -> Actor:
    """The periodic job of that name."""
    return Actor(kind="job", label=name)
