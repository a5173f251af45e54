"""``/subscriptions/:external_id/spend``: the spend cap of a subscription and how it stands to it; and what answers to
usage tell of reached caps. Additions to the compatible API.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import alert_forms
from billing.api.alert_forms import SpendAnswer, SpendCapRequest
from billing.models import Subscription
from billing.queries import alerts as known
from billing.queries import reached_caps, subscriptions
from billing.services import spend_caps
from config.kernel import errors
from config.platform.api import conditional, params, schema, views

ROOT, CAP = "spend", "spend_cap"
HEADER = "Spend-Caps-Reached"
MOST_NAMED = 50
"""How many subscriptions the header names; servers refuse long headers."""

CAPS_REACHED = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="Subscriptions of the request whose spend cap is reached, percent-encoded, separated by commas.",
)

_STATUS = schema.filters("status", paged=False)


class SubscriptionSpend(views.ApiView):
    """The spend cap of a subscription."""

    resource = "alert"

    @extend_schema(parameters=[*_STATUS, conditional.IF_NONE_MATCH], responses=schema.answer(ROOT, SpendAnswer))
    def get(self, request: Request, external_id: str) -> HttpResponseBase:
        """Tell what of the cap is spent; 304 when that is known. The figures are a minute old at most or so."""
        found = known.spend(external_id=external_id, status=_status(request), at=self.at())
        return conditional.answer(request, {ROOT: alert_forms.spend(found)})

    @extend_schema(
        parameters=_STATUS, request=schema.body(CAP, SpendCapRequest), responses=schema.answer(ROOT, SpendAnswer)
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Agree on a spend cap for each billing period: usage, net, in minor units of the plan's currency.

        Usage beyond it is taken in and billed as always.
        """
        at = self.at()
        values = self.body(request, CAP, SpendCapRequest)
        subscription = subscriptions.find(external_id=external_id, status=_status(request))
        spend_caps.agree(
            subscription=subscription, amount_cents=values["amount_cents"], actor=self.actor(request), at=at
        )
        found = known.spend(external_id=external_id, status=subscription.status, at=at)
        return Response({ROOT: alert_forms.spend(found)})

    @extend_schema(parameters=_STATUS, responses=schema.answer(ROOT, SpendAnswer))
    def delete(self, request: Request, external_id: str) -> Response:
        """Give up the spend cap; answered as it was."""
        at = self.at()
        subscription = subscriptions.find(external_id=external_id, status=_status(request))
        before = known.spend(external_id=external_id, status=subscription.status, at=at)
        spend_caps.give_up(subscription=subscription, actor=self.actor(request), at=at)
        return Response({ROOT: alert_forms.spend(before)})


def tell(response: HttpResponse, *, external_ids: Iterable[str], at: datetime) -> HttpResponse:
    """Name the subscriptions whose cap is reached in a header of an answer to usage, and return the answer."""
    reached = reached_caps.among(external_ids=external_ids, at=at)
    if reached:
        response[HEADER] = ", ".join(quote(one, safe="") for one in reached[:MOST_NAMED])
    return response


def _status(request: Request) -> str:
    found = params.text(request, "status") or Subscription.Status.ACTIVE.value
    if found not in subscriptions.STATUSES:
        raise errors.Invalid("validation_errors", "There is no such status.", {"status": ["value_is_invalid"]})
    return found
