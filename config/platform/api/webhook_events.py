"""``/webhook_events``, an addition: what was told to whom, and telling it again."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import pagination, params, schema, views
from config.platform.api.webhook_forms import ReplayRequest, WebhookEventAnswer, WholeWebhookEventAnswer
from config.platform.models import WebhookDelivery
from config.platform.queries import webhooks
from config.platform.services import replays

ROOT = "webhook_event"


class WebhookEvents(views.ApiView):
    """All events that some endpoint was to be told of."""

    resource = "webhook_endpoint"

    @extend_schema(
        parameters=schema.filters("object_id", "from", "to", many=("webhook_type", "object_type", "state")),
        responses=schema.page("webhook_events", WebhookEventAnswer),
    )
    def get(self, request: Request) -> Response:
        """List events, newest first. ``state`` is that of any of its deliveries; ``to`` is not included."""
        rows = webhooks.events(
            types=params.texts(request, "webhook_type"),
            object_types=params.texts(request, "object_type"),
            object_id=_object_id(request),
            states=params.texts(request, "state", allowed=WebhookDelivery.State.values),
            from_at=params.instant(request, "from"),
            to_at=params.instant(request, "to"),
        )
        return pagination.paginated(
            request, rows, "webhook_events", lambda found: WebhookEventAnswer(found, many=True).data
        )


class OneWebhookEvent(views.ApiView):
    """One event, by its id, which is the unique key that receivers get."""

    resource = "webhook_endpoint"
    guarded = ("get", "head")  # a payload shows objects of every resource: for those who may send it somewhere

    @extend_schema(responses=schema.answer(ROOT, WholeWebhookEventAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show an event with its payload."""
        return Response({ROOT: WholeWebhookEventAnswer(webhooks.event(uuid=params.uuid(lago_id))).data})


class WebhookEventReplay(views.ApiView):
    """Telling an event again."""

    resource = "webhook_endpoint"

    @extend_schema(request=ReplayRequest, responses=schema.answer(ROOT, WebhookEventAnswer))
    def post(self, request: Request, lago_id: str) -> Response:
        """Send an event again, with the same bytes and the same unique key, to everybody it was for, or to the endpoint
        named.
        """
        event = webhooks.event(uuid=params.uuid(lago_id))
        content = request.data if isinstance(request.data, dict) else {}
        named = self.checked(content, ReplayRequest).get("lago_webhook_endpoint_id")
        endpoint = None if named is None else webhooks.endpoint(uuid=named)
        replayed = replays.event(
            event_id=event.pk,
            endpoint_id=None if endpoint is None else endpoint.pk,
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({ROOT: WebhookEventAnswer(replayed).data})


def _object_id(request: Request) -> UUID | None:
    given = params.text(request, "object_id")
    found = None if given is None else params.uuid(given)
    if given is not None and found is None:
        raise errors.Invalid("validation_errors", "", {"object_id": ["value_is_invalid"]})
    return found
