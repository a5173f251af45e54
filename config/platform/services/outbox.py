"""The transactional outbox of webhooks. Owns which events exist and the step from "it happened" to rows: the event with
its payload and one delivery per endpoint that wants it. Sending them is `deliveries`'.

A service records an event at its end, inside its own transaction: what is rolled back was never told, and what was
committed is told at least once. The payload is rendered there and then, so it says how things were. Where no endpoint
wants an event nothing is rendered and nothing is written.
"""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.module_loading import import_string

from config.kernel import jobs, rows
from config.platform.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from config.platform.queries import installation

MANY = 50
"""From so many objects on they are rendered without looking for garbage meanwhile."""

Payload = Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class EventType:
    """A kind of event. ``name`` is the webhook type ("invoice.created"), ``object_type`` the key of its payload.

    ``payload`` is the dotted path of ``fn(instances) -> [content, …]``, in an API package: it reads what it needs
    by primary key, in a bounded number of queries, and keeps the order. ``subject`` names the attribute of what is told
    that order is kept within, where that is not the object itself: the firings of an alert come in the alert's order.
    """

    name: str
    object_type: str
    payload: str
    description: str
    subject: str = ""


_types: dict[str, EventType] = {}
_is_silent: ContextVar[bool] = ContextVar("is_silent", default=False)


def register(*kinds: EventType) -> None:
    """Make kinds of events known. Registering one again changes nothing; another of its name is refused."""
    for kind in kinds:
        if _types.setdefault(kind.name, kind) != kind:
            raise ValueError(f"there is an event type {kind.name!r} already")


def event_types() -> Mapping[str, EventType]:
    """Return all kinds of events by name, sorted by it."""
    return dict(sorted(_types.items()))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Record nothing meanwhile: what is taken over from another system happened there and was told there, and what is
    played and undone never happened, so that no payload is rendered for it in vain.
    """
    token = _is_silent.set(True)
    try:
        yield
    finally:
        _is_silent.reset(token)


def record(
    name: str,
    instances: Sequence[models.Model],
    *,
    at: datetime,
    extras: Mapping[int, Mapping[str, Any]] | None = None,
) -> None:
    """Record an event of each of these objects in the running transaction, and wake the delivery when it is committed.

    ``extras`` adds to the payload of an object by its primary key. Call it once the objects are written and before they
    are deleted. Many objects at once cost a bounded number of statements. Raises KeyError for an unknown name and
    TransactionManagementError outside of a transaction.
    """
    kind = _types[name]
    if not instances or _is_silent.get():
        return
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"{name} is recorded outside of a transaction")
    endpoints = wanting(name)
    if not endpoints:
        return
    contents = _rendered(kind, instances)
    organization = str(installation.current().uuid)
    events = rows.insert(
        [
            WebhookEvent(
                event_type=name,
                object_type=kind.object_type,
                object_key=_object_key(kind, instance),
                at=at,
                created_at=at,
                body=_body(kind, organization, {**content, **(extras or {}).get(instance.pk, {})}),
            )
            for instance, content in zip(instances, contents, strict=True)
        ]
    )
    rows.insert(
        [
            WebhookDelivery(
                event=event, endpoint=endpoint, object_key=event.object_key, next_attempt_at=at, created_at=at
            )
            for event in events
            for endpoint in endpoints
        ]
    )
    jobs.enqueue("config.platform.tasks.deliver_webhooks")


def wanting(name: str) -> list[WebhookEndpoint]:
    """Return the endpoints that are told of this kind of event, those that are paused too. One small query."""
    wanted = models.Q(event_types__isnull=True) | models.Q(event_types__contains=[name])
    return list(WebhookEndpoint.objects.filter(wanted, deleted_at__isnull=True).order_by("pk"))


def _rendered(kind: EventType, instances: Sequence[models.Model]) -> Sequence[Mapping[str, Any]]:
    import_module(settings.ROOT_URLCONF)  # with it come all shapes and what upper apps add to them
    render: Payload = import_string(kind.payload)
    # What is read for so many lives until it is written: looking for garbage among it takes long and finds none.
    pauses = len(instances) >= MANY and gc.isenabled()
    if pauses:
        gc.disable()
    try:
        return render(instances)
    finally:
        if pauses:
            gc.enable()


def _object_key(kind: EventType, instance: models.Model) -> str:
    subject = getattr(instance, kind.subject) if kind.subject else instance
    return f"{subject._meta.label_lower}:{getattr(subject, 'uuid', subject.pk)}"


def _body(kind: EventType, organization: str, content: Mapping[str, Any]) -> str:
    told = {
        "webhook_type": kind.name,
        "object_type": kind.object_type,
        "organization_id": organization,
        kind.object_type: content,
    }
    return json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
