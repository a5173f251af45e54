"""Makers of what webhooks are about: endpoints, events of a few objects, and what was delivered of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from unittest import mock

from django.db import transaction

from config.platform.models import ApiKey, WebhookDelivery, WebhookEndpoint
from config.platform.services import installation, outbox
from tests.factories import platform

AT = platform.AT
CREATED, CHANGED = "test_thing.created", "test_thing.updated"


def known_types() -> None:
    """Make events known that no app has."""
    for name in (CREATED, CHANGED):
        outbox.register(
            outbox.EventType(
                name=name, object_type="thing", payload="tests.factories.webhooks.payload", description="A test's own."
            )
        )


def payload(instances: Sequence[Any]) -> list[dict[str, Any]]:
    """Render things: a key of the API, which every installation has, stands for them."""
    return [{"lago_id": str(one.uuid), "name": one.name, "note": "Grüße, 世界 & <b> / \\ \u2028"} for one in instances]


def make_endpoint(url: str = "http://127.0.0.1:9/hooks", *, at: datetime = AT, **values: Any) -> WebhookEndpoint:
    """Make an endpoint, and the installation if there is none."""
    installation.ensure(at=at)
    return WebhookEndpoint.objects.create(webhook_url=url, created_at=at, **values)


def make_things(count: int, *, name: str = "thing") -> list[ApiKey]:
    """Make objects that events can be about."""
    return ApiKey.objects.bulk_create(
        [ApiKey(name=f"{name} {number}", digest=f"{name}{number}", hint="x") for number in range(count)]
    )


def happen(things: Sequence[ApiKey], *, name: str = CREATED, times: int = 1, at: datetime = AT) -> None:
    """Let something happen to each of them, that often, in one transaction. Nothing is sent yet."""
    known_types()
    with mock.patch("config.kernel.jobs.enqueue"), transaction.atomic():
        for time in range(times):
            outbox.record(name, things, at=at, extras={thing.pk: {"time": time} for thing in things})


def states(endpoint: WebhookEndpoint | None = None) -> dict[str, int]:
    """Return how many deliveries are in which state."""
    rows = WebhookDelivery.objects.all() if endpoint is None else endpoint.deliveries.all()
    found: dict[str, int] = {}
    for state in rows.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found
