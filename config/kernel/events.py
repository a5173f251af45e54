"""The only way back up the layers: facts that a lower app publishes and an upper app listens to.

Subscribers are called in the order of their registration, inside the transaction of the publisher: when one raises, the
whole change is rolled back. Facts are frozen dataclasses of plain values; nothing here knows any of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

E = TypeVar("E")

type_subscribers: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(fact: type[E], fn: Callable[[E], None]) -> None:
    """Call ``fn`` with every fact of this exact type. Registering the same function again changes nothing."""
    if fn not in type_subscribers[fact]:
        type_subscribers[fact].append(fn)


def publish(fact: object) -> None:
    """Tell every subscriber, in order, inside the caller's transaction. What a subscriber raises reaches the caller."""
    for fn in type_subscribers[type(fact)]:
        fn(fact)
