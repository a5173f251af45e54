"""``/subscriptions/:external_id/pause`` and ``…/resume``: additions to the compatible API."""

from __future__ import annotations

from collections.abc import Mapping

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.subscription_forms import SubscriptionAnswer
from billing.api.subscriptions import ROOT, SubscriptionView
from billing.models import Subscription
from billing.services import pauses
from config.platform.api import schema
from config.platform.api.serializers import RequestSerializer, Text


class PauseRequest(RequestSerializer):
    """How a subscription pauses."""

    fee = serializers.ChoiceField(
        choices=Subscription.PauseFee.values,
        help_text="prorated: the days of service are paid. whole: periods that saw any service are paid as a whole.",
    )
    resume_on = serializers.DateField(
        required=False,
        allow_null=True,
        help_text="The day, in the customer's time zone, on which it resumes by itself.",
    )
    reason = Text(max_length=1000)


class Pause(SubscriptionView):
    """Pausing."""

    @extend_schema(request=PauseRequest, responses=schema.answer(ROOT, SubscriptionAnswer))
    def post(self, request: Request, external_id: str) -> Response:
        """Pause an active subscription now. Its fee and usage so far are billed; usage is not billed until it resumes.

        Answers with the subscription that waits, which is ``paused``.
        """
        at = self.at()
        content = request.data if isinstance(request.data, Mapping) else {}
        values = self.checked(content, PauseRequest)
        found = self.subscription(request, external_id)
        waiting = pauses.pause(
            subscription_id=found.pk,
            fee=values["fee"],
            resume_on=values.get("resume_on"),
            reason=values.get("reason", ""),
            actor=self.actor(request),
            at=at,
        )
        return self.shown(waiting.pk, at=at)


class Resume(SubscriptionView):
    """Resuming."""

    @extend_schema(request=None, responses=schema.answer(ROOT, SubscriptionAnswer))
    def post(self, request: Request, external_id: str) -> Response:
        """Resume a paused subscription now, also before the day that was agreed. A fee in advance is billed at once."""
        at = self.at()
        found = self.subscription(request, external_id)
        pauses.resume(subscription_id=found.pk, actor=self.actor(request), at=at)
        return self.shown(found.pk, at=at)
