"""How webhooks look on admin pages: addresses, states, how an endpoint is. Owns no page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.safestring import SafeString

from config.platform.admin import cells
from config.platform.admin.blocks import NUMBER, Column, Row, Table
from config.platform.admin.cells import Tone
from config.platform.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

SHOWN = 60
"""Characters of an address that a list shows; all of it shows on pointing."""

_TONES = {
    WebhookDelivery.State.PENDING: Tone.INFO,
    WebhookDelivery.State.DELIVERED: Tone.GOOD,
    WebhookDelivery.State.FAILED: Tone.BAD,
    WebhookDelivery.State.DROPPED: Tone.WARN,
}


def address(url: str, *, most: int = SHOWN) -> str | SafeString:
    """An address, shortened in its middle where it is long; all of it shows on pointing."""
    if len(url) <= most:
        return url
    return cells.hinted(f"{url[: most - 11]}…{url[-10:]}", url)


def state(delivery: WebhookDelivery) -> SafeString:
    """How a delivery stands."""
    label = WebhookDelivery.State(delivery.state)
    if label == WebhookDelivery.State.PENDING and delivery.attempts:
        return cells.badge("to be repeated", Tone.WARN)
    return cells.badge(label.label, _TONES[label])


def health(endpoint: WebhookEndpoint, *, at: datetime) -> SafeString:
    """How an endpoint is."""
    if endpoint.deleted_at is not None:
        return cells.badge("deleted", Tone.NEUTRAL)
    if endpoint.disabled_at is not None:
        return cells.badge("paused", Tone.WARN)
    if endpoint.failures:
        return cells.badge("no answer", Tone.BAD)
    if endpoint.failing_since is not None:
        return cells.badge("failing", Tone.BAD)
    if endpoint.resting_until is not None and endpoint.resting_until > at:
        return cells.badge("asked to wait", Tone.WARN)
    return cells.badge("well", Tone.GOOD) if endpoint.last_delivered_at else cells.badge("not used yet", Tone.NEUTRAL)


def types(endpoint: WebhookEndpoint) -> str | SafeString:
    """Which events it is told of."""
    wanted = endpoint.event_types
    if wanted is None:
        return "all events"
    if len(wanted) == 1:
        return cells.code(wanted[0])
    return cells.hinted(f"{len(wanted)} kinds of events", ", ".join(wanted))


def outcome(status: int | None, error: str) -> SafeString:
    """What came of an attempt."""
    if status is None:
        return cells.badge(error or "no answer", Tone.BAD)
    return cells.badge(status, Tone.GOOD if 200 <= status < 300 else Tone.BAD)


def attempts(rows: Sequence[WebhookAttempt]) -> Table:
    """Each attempt with its time and answer."""
    return Table(
        "Attempts",
        (Column("When"), Column("Answer"), Column("Took", NUMBER), Column("It said")),
        tuple(
            Row(
                (
                    cells.instant(one.at),
                    outcome(one.status, one.error),
                    f"{one.milliseconds:,} ms",
                    cells.code(one.answer) if one.answer else cells.EMPTY,
                )
            )
            for one in rows
        ),
        empty="It was not tried yet.",
    )
