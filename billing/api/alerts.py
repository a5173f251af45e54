"""``/subscriptions/:external_id/alerts``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import alert_forms
from billing.api.alert_forms import AlertAnswer, AlertRequest
from billing.models import Subscription
from billing.queries import alerts as known
from billing.queries import subscriptions
from billing.services import usage_alerts
from config.kernel import errors
from config.platform.api import errors as refusals
from config.platform.api import pagination, params, schema, views

ROOT, LIST = "alert", "alerts"
MOST = 100
"""How many alerts one request makes at most; no subscription has as many kinds of them."""

_STATUS = schema.filters("subscription_status", paged=False)


class AlertsView(views.ApiView):
    """The base of the views of alerts: a batch of them as it comes in."""

    resource = "alert"

    def many(self, request: Request) -> list[dict[str, Any]]:
        """Return the checked alerts of a batch. Raises Invalid."""
        content = request.data[LIST]
        if not isinstance(content, list) or not 1 <= len(content) <= MOST:
            message = f"Send 1 to {MOST} alerts."
            raise errors.Invalid("validation_errors", message, {LIST: ["invalid_count"]})
        found, refused = [], {}
        for position, one in enumerate(content):
            try:
                found.append(self.checked(one if isinstance(one, dict) else {}, AlertRequest))
            except errors.Invalid as refusal:
                refused[position] = refusal.details
        if refused:
            raise usage_alerts.RefusedAlerts(refused)
        return found


class _View(AlertsView):
    def subscription(self, request: Request, external_id: str) -> Subscription:
        """Return the subscription of a path: the active or the paused one, unless told otherwise. Raises NotFound."""
        return subscriptions.find(external_id=external_id, status=params.text(request, "subscription_status"))


class SubscriptionAlerts(_View):
    """The alerts of a subscription."""

    @extend_schema(parameters=schema.filters("subscription_status"), responses=schema.page(LIST, AlertAnswer))
    def get(self, request: Request, external_id: str) -> Response:
        """List the alerts in the order of their making."""
        rows = known.of_subscription(self.subscription(request, external_id))
        return pagination.paginated(request, rows, LIST, alert_forms.shown)

    @extend_schema(
        parameters=_STATUS,
        request=schema.either(
            "AlertOrAlertsBody", schema.body(ROOT, AlertRequest), schema.body(LIST, AlertRequest, many=True)
        ),
        responses=schema.one_or_many(ROOT, LIST, AlertAnswer),
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Make an alert; or several, all or none, which are answered as a list.

        A refusal of several lists the reasons by their position, from 0.
        """
        at, actor = self.at(), self.actor(request)
        subscription = self.subscription(request, external_id)
        if not (isinstance(request.data, dict) and LIST in request.data):
            values: Any = self.body(request, ROOT, AlertRequest)
            alert = usage_alerts.create(subscription=subscription, values=values, actor=actor, at=at)
            return _answer(alert)
        try:
            several: Any = self.many(request)
            made = usage_alerts.create_many(subscription=subscription, values=several, actor=actor, at=at)
        except usage_alerts.RefusedAlerts as refusal:
            details = {str(position): codes for position, codes in refusal.by_position.items()}
            return Response(refusals.body(422, code="validation_errors", details=details), status=422)
        return Response({LIST: alert_forms.shown(made)})

    @extend_schema(operation_id="deleteAllSubscriptionAlerts", parameters=_STATUS, responses={200: None})
    def delete(self, request: Request, external_id: str) -> Response:
        """Delete all alerts of a subscription. The answer has no body."""
        usage_alerts.delete_all(
            subscription=self.subscription(request, external_id), actor=self.actor(request), at=self.at()
        )
        return Response(status=200)


@extend_schema(parameters=_STATUS)
class SubscriptionAlert(_View):
    """One alert of a subscription, by its code."""

    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, AlertAnswer))
    def get(self, request: Request, external_id: str, code: str) -> Response:
        """Show an alert."""
        return _answer(known.find(subscription=self.subscription(request, external_id), code=code))

    @extend_schema(request=schema.changes(ROOT, AlertRequest), responses=schema.answer(ROOT, AlertAnswer))
    def put(self, request: Request, external_id: str, code: str) -> Response:
        """Change an alert: what is not sent stays; thresholds come as the full list."""
        content = self.root(request, ROOT)
        subscription = self.subscription(request, external_id)
        known.find(subscription=subscription, code=code)
        values: Any = self.checked(content, AlertRequest, partial=True)
        alert = usage_alerts.update(
            subscription=subscription, code=code, values=values, actor=self.actor(request), at=self.at()
        )
        return _answer(alert)

    @extend_schema(responses=schema.answer(ROOT, AlertAnswer))
    def delete(self, request: Request, external_id: str, code: str) -> Response:
        """Delete an alert; answered as it was."""
        subscription = self.subscription(request, external_id)
        found = usage_alerts.delete(subscription=subscription, code=code, actor=self.actor(request), at=self.at())
        return _answer(found)


def _answer(alert: Any) -> Response:
    return Response({ROOT: alert_forms.shown([alert])[0]})
