"""Writes that may be sent twice. Owns the memory of answers given to idempotency keys; what is written is the caller's.

The answer is remembered in the transaction that made it: either both are there or neither. A write that would be many
transactions becomes one of them, with its parts as savepoints; what it starts for afterwards (documents, e-mails,
webhooks) starts when that one is committed, so a repeat that finds the answer finds all of it. Refusals are not
remembered, for they wrote nothing: the same key may try again with better input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel import db, errors
from config.platform.models import IdempotencyRecord


class KeyReused(errors.Invalid):
    """The key was used for another request."""


@dataclass(frozen=True)
class Answer:
    """A status, the bytes of a body (or its JSON, of answers remembered long ago) and the headers that belong to it;
    ``replayed`` says that an earlier request made them.
    """

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
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
        return _remembered(record)
    answer = write()
    if answer.status < 400:
        IdempotencyRecord.objects.create(
            api_key_id=api_key_id,
            key=key,
            request_digest=request_digest,
            status=answer.status,
            content=answer.content,
            headers=dict(answer.headers),
            created_at=at,
        )
    return answer


def _remembered(record: IdempotencyRecord) -> Answer:
    if record.content is None:
        return Answer(status=record.status, body=record.body, replayed=True)
    return Answer(status=record.status, content=bytes(record.content), headers=record.headers, replayed=True)
