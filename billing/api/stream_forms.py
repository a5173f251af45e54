"""The answer to an event stream: its receipt, and a verdict for each event. Owns the shape. Written without
serializers, as answers to ingestion are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rest_framework import serializers

from billing.api.stream_body import Stream
from billing.domain import event_digests
from billing.domain.usage_events import Codes, EventIn, Taken, Verdict
from config.platform.api import errors
from config.platform.api import serializers as fields

EXISTS: Codes = {"transaction_id": ["value_already_exist"]}


class ReceiptAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What is stored of a stream."""

    count = serializers.IntegerField(help_text="Different events of it that are stored, now or before.")
    digest = serializers.CharField(help_text="Of those; 16 hexadecimal digits.")
    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    rejected = serializers.IntegerField()
    received_at = fields.Instant()


class VerdictAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What became of an event."""

    position = serializers.IntegerField(help_text="In the stream, from 0.")
    transaction_id = serializers.CharField(allow_null=True)
    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    lago_id = serializers.UUIDField(allow_null=True)
    error_details = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), allow_null=True)


class StreamAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The receipt and the verdicts."""

    receipt = ReceiptAnswer()
    events = VerdictAnswer(many=True)


class RefusedStreamAnswer(StreamAnswer):
    """A refusal with the receipt and the verdicts."""

    status = serializers.IntegerField()
    error = serializers.CharField()
    code = serializers.CharField()
    error_details = serializers.DictField(help_text="Codes by field, by position in the stream, from 0 on.")


class _Verdict(msgspec.Struct, gc=False):
    position: int
    transaction_id: str | None
    verdict: Verdict
    lago_id: str | None
    error_details: Codes | None


def answer(
    *, stream: Stream, taken: Sequence[Taken], received_at: datetime, exceptions_only: bool
) -> tuple[int, bytes]:
    """Return status and body. ``taken`` has what became of the valid events, in their order.

    The status is 422 where no event of the stream is stored, otherwise 200. With ``exceptions_only`` events that were
    accepted are not listed.
    """
    verdicts = list(_verdicts(stream, taken))
    counts = dict.fromkeys(Verdict, 0)
    for one in verdicts:
        counts[one.verdict] += 1
    events = [one for one in stream.found if isinstance(one, EventIn)]
    stored = {event.key: event for event, one in zip(events, taken, strict=True) if one.verdict != Verdict.CONFLICT}
    content: dict[str, Any] = {
        "receipt": {
            "count": len(stored),
            "digest": event_digests.text(event_digests.of(stored.values())),
            **counts,
            "received_at": fields.instant_text(received_at),
        },
        "events": [one for one in verdicts if not exceptions_only or one.verdict != Verdict.ACCEPTED],
    }
    if stored:
        return 200, msgspec.json.encode(content)
    details = {str(one.position): one.error_details for one in verdicts}
    return 422, msgspec.json.encode({**errors.body(422, code="validation_errors", details=details), **content})


def _verdicts(stream: Stream, taken: Sequence[Taken]) -> Iterator[_Verdict]:
    rest = iter(taken)
    for position, (found, name) in enumerate(zip(stream.found, stream.names, strict=True)):
        if isinstance(found, EventIn):
            one = next(rest)
            yield _Verdict(position, name, one.verdict, one.id, EXISTS if one.verdict == Verdict.CONFLICT else None)
        else:
            yield _Verdict(position, name, Verdict.REJECTED, None, found)
