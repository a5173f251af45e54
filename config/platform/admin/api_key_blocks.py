"""What pages show of an API key. Owns its facts and its state; never the key itself, which is stored nowhere."""

from __future__ import annotations

from datetime import datetime

from django.utils import dateparse

from config.platform.admin import blocks, cells, rights_fields
from config.platform.admin.blocks import Fact, Facts, Row, Table
from config.platform.admin.cells import Tone
from config.platform.models import ApiKey


def facts(key: ApiKey, *, at: datetime) -> Facts:
    """What is known of a key."""
    rows = [
        Fact("Name", key.name),
        Fact("Key", cells.code(f"…{key.hint}")),
        Fact("State", state(key, at=at)),
        Fact("May", rights_fields.text(key.rights)),
        Fact("Requests a minute", cells.number(key.rate_limit) if key.rate_limit else "any number"),
        Fact("Made", cells.instant(key.created_at)),
        Fact("Last used", cells.instant(key.last_used_at)),
        Fact("Expires", cells.instant(key.expires_at)),
    ]
    if key.rotated_at is not None:
        rows.append(Fact("Rotated", cells.instant(key.rotated_at)))
    if key.previous_until is not None and key.previous_until > at and key.revoked_at is None:
        rows.append(Fact(f"…{key.previous_hint} is taken until", cells.instant(key.previous_until)))
    return Facts("API key", tuple(rows))


def addresses(key: ApiKey) -> Table:
    """From where a key was used last."""
    used = sorted(key.addresses.items(), key=lambda one: one[1], reverse=True)
    rows = tuple(Row((cells.code(address), cells.instant(dateparse.parse_datetime(at)))) for address, at in used)
    return Table(
        "Used from", blocks.columns("Address", "Last, to the minute or so"), rows, empty="It was not used yet."
    )


def state(key: ApiKey, *, at: datetime) -> str:
    """Whether requests with the key are taken."""
    if key.revoked_at is not None:
        return cells.badge("revoked", Tone.BAD)
    if key.expires_at is not None and key.expires_at <= at:
        return cells.badge("expired", Tone.WARN)
    if key.previous_until is not None and key.previous_until > at:
        return cells.badge("being rotated", Tone.INFO)
    return cells.badge("in use", Tone.GOOD)
