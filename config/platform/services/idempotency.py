"""Writes that may be sent twice. Owns the memory of answers given to idempotency keys; what is written is the caller's.

The answer is remembered in the transaction that made it: either both are there or neither. Refusals are not remembered,
for they wrote nothing: the same key may try again with better input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel import db, errors
from config.platform.models import IdempotencyRecord


class KeyReused(errors.Invalid):
    """The key was used for another request."""


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; ``replayed`` says that an earlier request made them."""

    status: int
    body: Any
    replayed: bool = False


@transaction.atomic
def once(*, api_key_id: int, key: str, request_digest: str, at: datetime, write: Callable[[], Answer]) -> Answer:
    """Write, or return what the first request with this key of this client was answered.

    A second request with the same key waits for the first one. ``request_digest`` tells requests apart: another one
    under a known key raises KeyReused. What ``write`` raises undoes everything. Answers of 400 and above are
    not remembered.
    """
    db.advisory_lock(f"idempotency:{api_key_id}:{key}")
    record = IdempotencyRecord.objects.filter(api_key_id=api_key_id, key=key).first()
    if record is not None:
        if record.request_digest != request_digest:
            message = "The idempotency key was used for another request."
            raise KeyReused("validation_errors", message, {"idempotency_key": ["value_already_exist"]})
        return Answer(status=record.status, body=record.body, replayed=True)
    answer = write()
    if answer.status < 400:
        IdempotencyRecord.objects.create(
            api_key_id=api_key_id,
            key=key,
            request_digest=request_digest,
            status=answer.status,
            body=answer.body,
            created_at=at,
        )
    return answer
