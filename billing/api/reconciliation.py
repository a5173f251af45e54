"""``/events/reconcile``: what a sender counted against what is stored. Reads only."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import reconciliation_forms
from billing.api.reconciliation_forms import ReconciliationAnswer, ReconciliationRequest
from billing.queries import event_hours
from config.platform.api import schema, views

ROOT = "reconciliation"


class Reconciliation(views.ApiView):
    """A sender's counts and digests by hour."""

    resource = "event"
    reads = ("post",)

    @extend_schema(
        request=schema.body(ROOT, ReconciliationRequest), responses=schema.answer(ROOT, ReconciliationAnswer)
    )
    def post(self, request: Request) -> Response:
        """Compare hours with what is stored, and tell which of the named events are missing. Changes nothing."""
        content = self.body(request, ROOT, ReconciliationRequest)
        compared = event_hours.compared(
            sent=reconciliation_forms.sent_hours(content),
            external_subscription_id=content.get("external_subscription_id") or None,
            code=content.get("code") or None,
        )
        return Response({ROOT: reconciliation_forms.answer(compared)})
