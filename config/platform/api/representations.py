"""How objects look in the API, by name. Owns the register; each app registers its own objects in its ``api/parts.py``.

An app's API is imported by no other app, so an upper app that shows a lower app's object (an invoice its customer) asks
for it here, and what still higher apps add to it (see ``config.kernel.registry``) is added here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.serializers import Serializer

from config.kernel import registry
from config.platform.api import rendering

_known: dict[str, type[Serializer[Any]]] = {}


def register(name: str, serializer_class: type[Serializer[Any]]) -> None:
    """Show objects of that name ("customers.customer") with this serializer. Registering it again changes nothing."""
    _known[name] = serializer_class


def serializer(name: str) -> type[Serializer[Any]]:
    """Return the serializer of a name, to describe or nest it. Lower apps register first. Raises KeyError."""
    return _known[name]


def represent(name: str, instances: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the API form of objects, in their order, with the parts of upper apps: a bounded number of queries.

    Objects should come with what the serializer reads prefetched; the owning app's queries do that.
    """
    extra = registry.parts(name, instances)
    rows = rendering.render(_known[name], instances, context={"parts": {name: extra}})
    return [{**row, **extra[instance.pk]} for instance, row in zip(instances, rows, strict=True)]


def one(name: str, instance: Any) -> dict[str, Any]:
    """Return the API form of one object."""
    return represent(name, [instance])[0]
