"""Telling of an object once, however many steps of one verb changed it. Owns the list of what is to be told until the
outermost step is done; what an event is, and writing it, is `outbox`'s.

The payload is rendered when all steps are done, so it says how the object is then. What happens outside of a
`gathered` verb is told at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from django.db import models

from config.platform.services import outbox

P = ParamSpec("P")
R = TypeVar("R")
_Told = tuple[str, models.Model]

_UPDATED = "updated"
_SAY_ALL = frozenset(
    {"created", "deleted", "started", "incomplete", "terminated", "canceled", "paused", "resumed", "activated", "ended"}
)
"""Events after which nobody needs to hear besides that the object was updated: they show it as it is."""

_open: ContextVar[list[_Told] | None] = ContextVar("tellings", default=None)


def tell(name: str, instance: models.Model, *, at: datetime) -> None:
    """Record an event of an object, now or at the end of the verb that is being done. Needs a transaction.

    The same event of the same object is recorded once. Raises as `outbox.record`.
    """
    waiting = _open.get()
    if waiting is None:
        outbox.record(name, [instance], at=at)
    else:
        waiting.append((name, instance))


def gathered(verb: Callable[P, R]) -> Callable[P, R]:
    """Make a service, which takes ``at``, tell of each object once, at its end, inside its transaction.

    Put it below ``transaction.atomic``. Where one such service calls another the outermost tells.
    """

    @functools.wraps(verb)
    def done(*args: P.args, **kwargs: P.kwargs) -> R:
        at: Any = kwargs.get("at") or kwargs["as_of"]
        with once(at=at):
            return verb(*args, **kwargs)

    return done


@contextmanager
def once(*, at: datetime) -> Iterator[None]:
    """Tell of each object once when the block is over; nothing of what was done in a block that failed."""
    outer = _open.get()
    if outer is not None:
        before = len(outer)
        try:
            yield
        except BaseException:
            del outer[before:]
            raise
        return
    waiting: list[_Told] = []
    token = _open.set(waiting)
    try:
        yield
    finally:
        _open.reset(token)
    for name, instances in _ordered(waiting):
        outbox.record(name, instances, at=at)


def _ordered(waiting: Sequence[_Told]) -> list[tuple[str, list[models.Model]]]:
    """Put events of one name together, without changing the order in which any object is told of."""
    of_object: dict[tuple[str, int], dict[str, models.Model]] = {}
    for name, instance in waiting:
        of_object.setdefault((instance._meta.label, instance.pk), {}).setdefault(name, instance)
    rounds: dict[tuple[int, str], list[models.Model]] = {}
    for told in of_object.values():
        says_all = any(name.rpartition(".")[2] in _SAY_ALL for name in told)
        names = [name for name in told if not (says_all and name.endswith(_UPDATED))]
        for position, name in enumerate(names):
            rounds.setdefault((position, name), []).append(told[name])
    return [(name, instances) for (_, name), instances in sorted(rounds.items(), key=lambda item: item[0][0])]
