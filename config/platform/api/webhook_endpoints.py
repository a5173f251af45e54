"""``/webhook_endpoints`` and ``/webhooks/…``: where events are told, and the key to check them by."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import pagination, params, schema, views
from config.platform.api.webhook_forms import EndpointAnswer, EndpointRequest, PublicKeyAnswer, TestAnswer
from config.platform.models import WebhookEndpoint
from config.platform.queries import installation, webhooks
from config.platform.services import replays, signing, webhook_endpoints

ROOT, TEST = "webhook_endpoint", "webhook_endpoint_test"


class WebhookEndpoints(views.ApiView):
    """All webhook endpoints."""

    resource = ROOT

    @extend_schema(parameters=schema.filters(), responses=schema.page("webhook_endpoints", EndpointAnswer))
    def get(self, request: Request) -> Response:
        """List the webhook endpoints, newest first."""
        return pagination.paginated(request, webhooks.endpoints(), "webhook_endpoints", _shown)

    @extend_schema(request=schema.body(ROOT, EndpointRequest), responses=schema.answer(ROOT, EndpointAnswer))
    def post(self, request: Request) -> Response:
        """Make a webhook endpoint. It is told of what happens from now on; there can be ten."""
        values = self.body(request, ROOT, EndpointRequest)
        return _answer(webhook_endpoints.create(values=values, actor=self.actor(request), at=self.at()))


class OneWebhookEndpoint(views.ApiView):
    """One webhook endpoint, by its id."""

    resource = ROOT
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, EndpointAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show a webhook endpoint."""
        return _answer(webhooks.endpoint(uuid=params.uuid(lago_id)))

    @extend_schema(request=schema.body(ROOT, EndpointRequest), responses=schema.answer(ROOT, EndpointAnswer))
    def put(self, request: Request, lago_id: str) -> Response:
        """Change a webhook endpoint. What waits is sent to the new address."""
        content = self.root(request, ROOT)
        endpoint = webhooks.endpoint(uuid=params.uuid(lago_id))
        values = self.checked(content, EndpointRequest, partial=True)
        return _answer(
            webhook_endpoints.update(endpoint_id=endpoint.pk, values=values, actor=self.actor(request), at=self.at())
        )

    @extend_schema(responses=schema.answer(ROOT, EndpointAnswer))
    def delete(self, request: Request, lago_id: str) -> Response:
        """Delete a webhook endpoint. What waits for it is dropped."""
        endpoint = webhooks.endpoint(uuid=params.uuid(lago_id))
        return _answer(webhook_endpoints.delete(endpoint_id=endpoint.pk, actor=self.actor(request), at=self.at()))


class WebhookEndpointTest(views.ApiView):
    """Trying a webhook endpoint out."""

    resource = ROOT
    takes_idempotency_key = False

    @extend_schema(request=None, responses=schema.answer(TEST, TestAnswer))
    def post(self, request: Request, lago_id: str) -> Response:
        """Send a ping to a webhook endpoint, wait for its answer up to ten seconds and tell how it went."""
        endpoint = webhooks.endpoint(uuid=params.uuid(lago_id))
        attempt = replays.test(endpoint_id=endpoint.pk, actor=self.actor(request), at=self.at())
        return Response({TEST: TestAnswer(attempt).data})


class PublicKey(views.ApiView):
    """The public key, as text."""

    resource = "webhook_jwt_public_key"

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:
        """Return the key that JWT signatures are checked by: base64 of its PEM, as plain text."""
        return HttpResponse(signing.public_key_base64(), content_type="text/plain")


class JsonPublicKey(views.ApiView):
    """The public key, as JSON."""

    resource = "webhook_jwt_public_key"

    @extend_schema(responses=schema.answer("webhook", PublicKeyAnswer))
    def get(self, request: Request) -> Response:
        """Return the key that JWT signatures are checked by: base64 of its PEM."""
        return Response({"webhook": {"public_key": signing.public_key_base64()}})


def _shown(endpoints: list[WebhookEndpoint]) -> list[dict[str, object]]:
    context = {"organization_id": installation.current().uuid}
    return list(EndpointAnswer(endpoints, many=True, context=context).data)


def _answer(endpoint: WebhookEndpoint) -> Response:
    return Response({ROOT: _shown([endpoint])[0]})
