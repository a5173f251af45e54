"""How the comparison of a sender's counts with what is stored looks in the API, in and out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from billing.domain.reconciliation import ComparedHour, Missing, Outcome, SentHour
from config.kernel import errors
from config.platform.api import serializers as fields
from config.platform.api.serializers import Instant, Integer, RequestSerializer, Rows, Text

MAX_HOURS = 31 * 24
MAX_NAMES = 10_000


class NamedEvent(RequestSerializer):
    """An event that was sent; its subscription unless that of the whole comparison."""

    transaction_id = Text(required=True)
    external_subscription_id = Text()


class HourRequest(RequestSerializer):
    """What a sender counted in an hour."""

    hour = Instant(help_text="Its first instant; whole hours in UTC.")
    count = Integer(min_value=0, max_value=10**12)
    digest = serializers.RegexField("^[0-9a-fA-F]{16}$", required=False, allow_null=True, max_length=16)
    events = Rows(NamedEvent, max_length=MAX_NAMES, help_text="To be told which of them are missing.")


class ReconciliationRequest(RequestSerializer):
    """The hours, and what they are narrowed to."""

    external_subscription_id = Text()
    code = Text()
    hours = Rows(HourRequest, required=True, allow_null=False, allow_empty=False, max_length=MAX_HOURS)


class MissingAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An event that is not stored in the hour in which the sender counted it."""

    transaction_id = serializers.CharField()
    external_subscription_id = serializers.CharField()
    stored_at = Instant(allow_null=True, help_text="Its timestamp, where it is stored in another hour.")


class HourAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An hour, as it was sent and as it is stored."""

    hour = Instant()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    sent_count = serializers.IntegerField()
    stored_count = serializers.IntegerField()
    missing_count = serializers.IntegerField(help_text="How many more were sent than are stored.")
    sent_digest = serializers.CharField(allow_null=True)
    stored_digest = serializers.CharField()
    missing = MissingAnswer(many=True)


class ReconciliationAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The outcome as a whole and by hour."""

    matching = serializers.BooleanField()
    sent_count = serializers.IntegerField()
    stored_count = serializers.IntegerField()
    hours = HourAnswer(many=True)


def sent_hours(content: Mapping[str, Any]) -> list[SentHour]:
    """Return the hours of a checked request.

    Raises Invalid for an instant that starts no hour in UTC, an hour that comes twice, an event without a subscription,
    and more than 10,000 named events in all.
    """
    wrong: dict[str, list[str]] = {}
    found = []
    seen: set[datetime] = set()
    for position, row in enumerate(content["hours"]):
        hour: datetime = row["hour"]
        if hour.minute or hour.second or hour.microsecond or hour in seen:
            wrong[f"hours.{position}.hour"] = ["value_is_invalid"]
        seen.add(hour)
        keys = []
        for place, event in enumerate(row.get("events") or ()):
            subscription = event.get("external_subscription_id") or content.get("external_subscription_id")
            if not subscription:
                wrong[f"hours.{position}.events.{place}.external_subscription_id"] = ["value_is_mandatory"]
            keys.append((event["transaction_id"], subscription or ""))
        found.append(SentHour(hour, row["count"], row.get("digest"), tuple(keys)))
    if sum(len(one.keys) for one in found) > MAX_NAMES:
        wrong["hours"] = ["too_many_events"]
    if wrong:
        raise errors.Invalid("validation_errors", "The hours are not valid.", wrong)
    return found


def answer(compared: list[ComparedHour]) -> dict[str, Any]:
    """Return the comparison as it is shown."""
    return {
        "matching": all(one.outcome == Outcome.MATCHING for one in compared),
        "sent_count": sum(one.sent.count for one in compared),
        "stored_count": sum(one.stored_count for one in compared),
        "hours": [_hour(one) for one in compared],
    }


def _hour(one: ComparedHour) -> dict[str, Any]:
    return {
        "hour": fields.instant_text(one.sent.hour),
        "outcome": one.outcome,
        "sent_count": one.sent.count,
        "stored_count": one.stored_count,
        "missing_count": max(0, one.sent.count - one.stored_count),
        "sent_digest": one.sent.digest,
        "stored_digest": one.stored_digest,
        "missing": [_missing(missing) for missing in one.missing],
    }


def _missing(missing: Missing) -> dict[str, Any]:
    transaction_id, subscription = missing.key
    return {
        "transaction_id": transaction_id,
        "external_subscription_id": subscription,
        "stored_at": None if missing.stored_at is None else fields.instant_text(missing.stored_at),
    }
