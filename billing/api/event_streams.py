"""``/events/stream``: usage at volume. The answer is sent after what it says is stored is committed."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from billing.api import spend, stream_body, stream_forms
from billing.api.stream_forms import RefusedStreamAnswer, StreamAnswer
from billing.domain.usage_events import EventIn
from billing.services import usage_streams
from config.platform.api import compression, params, schema, views

JSON = "application/json"
ALL, EXCEPTIONS = "all", "exceptions"
_EVENTS = {"type": "array", "items": {"$ref": "#/components/schemas/EventRequest"}}


class EventStream(views.ApiView):
    """Many events, each for itself."""

    resource = "event"
    is_ingestion = True
    takes_idempotency_key = False

    @extend_schema(
        parameters=[
            OpenApiParameter("verdicts", enum=[ALL, EXCEPTIONS], description="Which to list; all unless given."),
            OpenApiParameter(
                "Content-Encoding", location=OpenApiParameter.HEADER, enum=["gzip", "zstd"], description="Of the body."
            ),
            spend.CAPS_REACHED,
        ],
        request={
            JSON: {"anyOf": [_EVENTS, {"type": "object", "properties": {"events": _EVENTS}, "required": ["events"]}]},
            "application/x-ndjson": OpenApiTypes.STR,
            "application/cloudevents+json": OpenApiTypes.OBJECT,
            "application/cloudevents-batch+json": {"type": "array", "items": {"type": "object"}},
        },
        responses={
            200: StreamAnswer,
            422: OpenApiResponse(
                schema.either("RefusedStream", RefusedStreamAnswer, schema.Refusal),
                description="No event of the stream was taken, or the stream cannot be read at all.",
            ),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Take in 1 to 10,000 events, each for itself, and tell what became of each. Sent again, it changes nothing."""
        at = self.at()
        chosen = params.texts(request, "verdicts", allowed=(ALL, EXCEPTIONS))
        stream = stream_body.read(
            compression.body(request),
            content_type=request.content_type or "",
            headers={name.lower(): value for name, value in request.headers.items()},
            received_at=at,
        )
        events = [one for one in stream.found if isinstance(one, EventIn)]
        taken = usage_streams.take_in(events=events, received_at=at)
        status, body = stream_forms.answer(
            stream=stream, taken=taken, received_at=at, exceptions_only=EXCEPTIONS in chosen
        )
        response = HttpResponse(body, content_type=JSON, status=status)
        return spend.tell(response, external_ids=(event.external_subscription_id for event in events), at=at)
