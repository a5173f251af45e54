"""Work queues: the register of what waits for a person. Owns the form of a queue; knows no table.

Each app registers the queues of its own tables. The overview shows them all, and the list of each can be narrowed to
exactly what its queue counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

MOST = 10_000
"""A queue is counted up to here: whoever has more of something has another problem."""

Rows = Callable[[datetime], models.QuerySet[Any]]


@dataclass(frozen=True)
class Queue:
    """Something that waits for a person.

    ``code`` is stable and names the queue in addresses. ``rows`` gives what waits at an instant: a queryset with the
    instant since which each row waits as ``queue_since``, and where money is at stake with ``queue_amount`` in major
    units of ``queue_currency``. One that ``is_deadline`` tells by ``queue_since`` until when something has to happen.

    Its list is that of ``model`` ("invoicing.invoice"), narrowed to the queue. Where the rows stand on the page of
    another object, ``model`` is the other object's, and each row has its key as ``queue_target``; ``anchor`` is the
    part of that page.

    ``says`` defines for people what is counted; what ``is_bad`` is marked when there is any of it.
    """

    code: str
    label: str
    says: str
    icon: str
    model: str
    permission: str
    rows: Rows
    is_deadline: bool = False
    is_target: bool = False
    anchor: str = ""
    is_bad: bool = False


_registered: dict[str, Queue] = {}


def register(*queues: Queue) -> None:
    """Add queues. Registering the same one again changes nothing; another one of its code is refused."""
    for queue in queues:
        if _registered.setdefault(queue.code, queue) != queue:
            raise ValueError(f"there is a queue {queue.code!r} already")


def registered() -> tuple[Queue, ...]:
    """Return the queues in the order of their registration."""
    return tuple(_registered.values())


def of_model(label: str) -> tuple[Queue, ...]:
    """Return the queues that narrow the list of a model, such as "invoicing.invoice"."""
    return tuple(queue for queue in _registered.values() if queue.model == label and not queue.is_target)


def named(code: str) -> Queue | None:
    """Return the queue of a code; None where there is none."""
    return _registered.get(code)
