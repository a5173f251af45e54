"""``/subscriptions/:id/decline_activation``: an addition, for a payment that will not come."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import subscription_forms, subscriptions
from billing.api.subscription_forms import SubscriptionAnswer
from billing.models import Subscription
from billing.queries import subscriptions as known
from billing.services import activations
from config.platform.api import schema


class DeclineActivation(subscriptions.SubscriptionView):
    """Giving up the wait for a first payment."""

    @extend_schema(
        operation_id="declineActivation", request=None, responses=schema.answer(subscriptions.ROOT, SubscriptionAnswer)
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Cancel a subscription that waits for its first payment; its invoice is never issued."""
        at = self.at()
        found = known.find(external_id=external_id, status=Subscription.Status.INCOMPLETE)
        activations.decline(
            subscription_id=found.pk, reason="The payment was declined.", actor=self.actor(request), at=at
        )
        rows = known.with_prices(Subscription.objects.filter(pk=found.pk))
        (content,) = subscription_forms.full(list(rows), at=at)
        return Response({subscriptions.ROOT: content})
