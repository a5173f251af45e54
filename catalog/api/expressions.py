"""``/billable_metrics/evaluate_expression``: trying an expression on an event. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.domain import decimals
from catalog.domain.expressions import evaluating, parsing
from catalog.domain.expressions.evaluating import Event
from catalog.domain.expressions.syntax import MAX_LENGTH
from config.platform.api import schema, views
from config.platform.api.serializers import RequestSerializer, Text, instant

ROOT = "expression_result"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@extend_schema_field({"type": ["number", "string"]})
class Moment(serializers.Field):  # type: ignore[type-arg]
    """Unix seconds, as number or text, or ISO 8601. Inside it is Unix seconds."""

    default_error_messages = {"date": "Not a moment."}

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the seconds."""
        seconds = decimals.read_number(data)
        if seconds is not None:
            return seconds
        found = instant(data) if isinstance(data, str) else None
        if found is None:
            self.fail("date")
        return _seconds(found)


class SampleEventForm(RequestSerializer):
    """The event on which an expression is tried."""

    code = Text()
    timestamp = Moment(required=False, allow_null=True, help_text="Now unless given.")
    properties = serializers.DictField(required=False, allow_null=True)


class EvaluationRequest(RequestSerializer):
    """An expression, and an event to try it on."""

    expression = Text(required=True, max_length=MAX_LENGTH)
    event = SampleEventForm(required=False, allow_null=True)


class EvaluationAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The value as a property would hold it: numbers in plain digits."""

    value = serializers.CharField()


class EvaluateExpression(views.ApiView):
    """Trying an expression."""

    resource = "billable_metric"
    reads = ("post",)

    @extend_schema(request=EvaluationRequest, responses=schema.answer(ROOT, EvaluationAnswer))
    def post(self, request: Request) -> Response:
        """Compute an expression for an event. A refusal names the character of the expression that it is about."""
        content = request.data if isinstance(request.data, Mapping) else {}
        given = self.checked(content, EvaluationRequest)
        expression = parsing.parse(given["expression"])
        value = evaluating.evaluate(expression=expression, event=_event(given.get("event") or {}, at=self.at()))
        return Response({ROOT: {"value": evaluating.text(value)}})


def _event(given: Mapping[str, Any], *, at: datetime) -> Event:
    moment = given.get("timestamp")
    properties = {
        # A JSON number counts by the shortest text that means it.
        name: Decimal(repr(value)) if isinstance(value, float) else value
        for name, value in (given.get("properties") or {}).items()
    }
    return Event(
        code=given.get("code", ""), timestamp=_seconds(at) if moment is None else moment, properties=properties
    )


def _seconds(moment: datetime) -> Decimal:
    return Decimal((moment - _EPOCH) // timedelta(microseconds=1)).scaleb(-6)
