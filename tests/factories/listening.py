"""A reader of what webhook endpoints were told, step by step of a story."""

from __future__ import annotations

import json
from typing import Any

from config.platform.models import WebhookEvent
from tests.factories import webhooks


class Told:
    """An endpoint that wants all events, and what was recorded for it since it was asked the last time."""

    def __init__(self, *kinds: str) -> None:
        """Listen from now on to events whose names begin so."""
        self.endpoint = webhooks.make_endpoint()
        self.kinds = kinds
        self.mark = 0
        self.news()

    def rows(self) -> list[tuple[str, dict[str, Any]]]:
        """Return name and object of each event since the last time, in their order."""
        rows = list(WebhookEvent.objects.filter(pk__gt=self.mark).order_by("pk"))
        self.mark = rows[-1].pk if rows else self.mark
        bodies = [json.loads(row.body) for row in rows if row.event_type.startswith(self.kinds)]
        return [(body["webhook_type"], body[body["object_type"]]) for body in bodies]

    def news(self, *fields: str) -> list[tuple[str, ...]]:
        """Return name and these fields of each event since the last time."""
        return [(name, *(content[field] for field in fields)) for name, content in self.rows()]

    def last(self) -> dict[str, Any]:
        """Return the object of the latest event, which was not asked for yet."""
        return self.rows()[-1][1]
