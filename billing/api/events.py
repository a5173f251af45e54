"""``/events``: taking in usage, and looking at what came in. The answer to a write is sent after it is committed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import event_forms, event_payload, spend
from billing.api.event_forms import EventAnswer, EventRequest
from billing.models import UsageEvent
from billing.queries import events
from billing.services import usage
from config.platform.api import errors, pagination, params, schema, views

ROOT, LIST = "event", "events"
JSON = "application/json"
FILTERS = schema.filters(
    "code", "external_subscription_id", "timestamp_from", "timestamp_to", "timestamp_from_started_at"
)


class Events(views.ApiView):
    """All events."""

    resource = "event"
    is_ingestion = True

    @extend_schema(parameters=FILTERS, responses=schema.page(LIST, EventAnswer))
    def get(self, request: Request) -> Response:
        """List events, newest first. Beyond 10,000 events ``total_count`` and ``total_pages`` are estimates."""
        rows = wanted(request)
        return pagination.paginated(request, rows, LIST, _shown, read=events.page)

    @extend_schema(
        parameters=[spend.CAPS_REACHED],
        request=schema.body(ROOT, EventRequest),
        responses=schema.answer(ROOT, EventAnswer),
    )
    def post(self, request: Request) -> HttpResponse:
        """Take in one event. The same transaction id again in the same subscription is refused and changes nothing."""
        at = self.at()
        event = event_payload.read_one(request.body, received_at=at)
        taken = usage.ingest(events=[event], received_at=at)
        (content,) = event_forms.stored(taken.events, ids=taken.ids, received_at=at)
        response = HttpResponse(event_forms.encoded(ROOT, content), content_type=JSON)
        return spend.tell(response, external_ids=[event.external_subscription_id], at=at)


class EventBatch(views.ApiView):
    """Many events at once."""

    resource = "event"
    is_ingestion = True

    @extend_schema(
        parameters=[spend.CAPS_REACHED],
        request=schema.body(LIST, EventRequest, many=True),
        responses=schema.page(LIST, EventAnswer, meta=False),
    )
    def post(self, request: Request) -> HttpResponse:
        """Take in 1 to 1000 events, all or none. A refusal lists the reasons by the event's position, from 0."""
        at = self.at()
        try:
            found = event_payload.read_many(request.body, received_at=at)
            taken = usage.ingest(events=found, received_at=at)
        except event_payload.RefusedEvents as refusal:
            return _refused(refusal.by_position)
        except usage.EventsAlreadyExist as refusal:
            return _refused(dict.fromkeys(refusal.positions, refusal.details))
        content = event_forms.stored(taken.events, ids=taken.ids, received_at=at)
        response = HttpResponse(event_forms.encoded(LIST, content), content_type=JSON)
        return spend.tell(response, external_ids=(event.external_subscription_id for event in taken.events), at=at)


class Event(views.ApiView):
    """One event, by its transaction id."""

    resource = "event"

    @extend_schema(
        parameters=schema.filters("external_subscription_id", paged=False),
        responses=schema.answer(ROOT, EventAnswer),
    )
    def get(self, request: Request, transaction_id: str) -> Response:
        """Show an event; the newest, where several subscriptions have one of that transaction id."""
        event = events.by_transaction_id(
            transaction_id=transaction_id,
            external_subscription_id=params.text(request, "external_subscription_id"),
        )
        return Response({ROOT: _shown([event])[0]})


def wanted(request: Request) -> QuerySet[UsageEvent]:
    """Return the events that the parameters of a list ask for, newest first. Raises Invalid."""
    subscription = params.text(request, "external_subscription_id")
    since = params.instant(request, "timestamp_from")
    if subscription and params.flag(request, "timestamp_from_started_at"):
        since = events.started_at(external_subscription_id=subscription) or since
    return events.listed(
        code=params.text(request, "code"),
        external_subscription_id=subscription,
        timestamp_from=since,
        timestamp_to=params.instant(request, "timestamp_to"),
    )


def _shown(found: list[UsageEvent]) -> list[dict[str, Any]]:
    context = {"subscriptions": events.subscriptions(events=found)}
    return list(EventAnswer(found, many=True, context=context).data)


def _refused(by_position: event_payload.Refusals) -> Response:
    details = {str(position): codes for position, codes in by_position.items()}
    return Response(errors.body(422, code="validation_errors", details=details), status=422)
