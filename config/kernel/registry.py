"""What upper apps show on the objects of lower apps, without being imported by them.

Two kinds: *panels* are shown on an object's admin page, *parts* complete an object's API representation. An upper app
registers a function under the name of the lower app's object ("invoicing.invoice"); the lower app asks by that name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Panel = Callable[[Any], Mapping[str, Any] | None]
Part = Callable[[Sequence[Any]], Mapping[int, Mapping[str, Any]]]

_panels: dict[str, list[Panel]] = defaultdict(list)
_parts: dict[str, list[Part]] = defaultdict(list)


def register_panel(name: str, fn: Panel) -> None:
    """Show on the page of ``name`` what ``fn(object)`` gives: {"title", "template", "context"}, or None for nothing."""
    if fn not in _panels[name]:
        _panels[name].append(fn)


def panels(name: str, instance: object) -> list[Mapping[str, Any]]:
    """The panels of an object, in the order of their registration."""
    return [panel for fn in _panels[name] if (panel := fn(instance)) is not None]


def register_part(name: str, fn: Part) -> None:
    """Complete the API form of ``name``: ``fn(objects)`` gives extra keys by primary key, for all at once."""
    if fn not in _parts[name]:
        _parts[name].append(fn)


def parts(name: str, instances: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """The extra keys of each object by primary key; a later registration wins over an earlier one.

    A registration that stands alone may say the same of objects that were not asked for: whoever keeps it asks less.
    """
    found: dict[int, dict[str, Any]] = {instance.pk: {} for instance in instances}
    if not instances:
        return found
    for fn in _parts[name]:
        for pk, extra in fn(instances).items():
            if pk in found or len(_parts[name]) == 1:
                found.setdefault(pk, {}).update(extra)
    return found
