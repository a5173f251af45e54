"""``/subscriptions/:id/entitlements``: what a product asks to know what its customer may use, and what staff agree.

Reading is one statement beside the key's. The answer carries a strong ETag of its content, so that a product that asks
again with ``If-None-Match`` gets 304 and no body while nothing has changed.
"""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import entitlement_forms, subscriptions
from billing.api.entitlement_forms import SubscriptionEntitlementAnswer
from billing.models import Subscription
from billing.queries import entitlements as known
from billing.services import entitlements
from config.kernel import errors
from config.platform.api import conditional, nested, params, schema, views
from config.platform.api.nested import EntitlementsRequest

LIST, ROOT = "entitlements", "entitlement"

_LISTED = schema.page(LIST, SubscriptionEntitlementAnswer, meta=False)
_STATUS = subscriptions.WHICH


class _View(views.ApiView):
    def status(self, request: Request) -> str:
        """Return which subscription of the external id is meant; the active one unless told otherwise."""
        named = params.text(request, "status") or params.text(request, "subscription_status")
        return named or Subscription.Status.ACTIVE.value

    resource = "subscription"

    def all(self, request: Request, external_id: str) -> Response:
        """Answer with all that the subscription has."""
        found = known.current(external_id=external_id, status=self.status(request))
        return Response({LIST: entitlement_forms.shown(found)})

    def one(self, request: Request, external_id: str, feature_code: str) -> Response:
        """Answer with one feature. Raises NotFound (`entitlement_not_found`)."""
        found = known.current(external_id=external_id, status=self.status(request))
        wanted = [one for one in found if one.code == feature_code]
        if not wanted:
            raise errors.NotFound("entitlement_not_found", f"It does not have {feature_code}.")
        return Response({ROOT: entitlement_forms.shown(wanted)[0]})


class SubscriptionEntitlements(_View):
    """All that a subscription's customer may use."""

    @extend_schema(
        operation_id="findAllSubscriptionEntitlements",
        parameters=[*_STATUS, conditional.IF_NONE_MATCH],
        responses=_LISTED,
    )
    def get(self, request: Request, external_id: str) -> HttpResponseBase:
        """List the features with what counts, the plan's values and what was agreed; 304 when that is known."""
        found = known.current(external_id=external_id, status=self.status(request))
        return conditional.answer(request, {LIST: entitlement_forms.shown(found)})

    @extend_schema(
        operation_id="updateSubscriptionEntitlements",
        parameters=_STATUS,
        request=EntitlementsRequest,
        responses=_LISTED,
    )
    def patch(self, request: Request, external_id: str) -> Response:
        """Agree features and values beside the plan's; null gives back the plan's value."""
        asked = nested.values(request, LIST)
        entitlements.merge(
            external_id=external_id,
            status=self.status(request),
            asked=asked,
            actor=self.actor(request),
            at=self.at(),
        )
        return self.all(request, external_id)


@extend_schema(parameters=_STATUS)
class SubscriptionEntitlement(_View):
    """One feature of a subscription."""

    @extend_schema(
        operation_id="destroySubscriptionEntitlement",
        responses=schema.answer(ROOT, SubscriptionEntitlementAnswer),
    )
    def delete(self, request: Request, external_id: str, feature_code: str) -> Response:
        """Take a feature from the subscription, also one that its plan gives; answered as it was."""
        answer = self.one(request, external_id, feature_code)
        entitlements.remove_feature(
            external_id=external_id,
            status=self.status(request),
            feature_code=feature_code,
            actor=self.actor(request),
            at=self.at(),
        )
        return answer


@extend_schema(parameters=_STATUS)
class SubscriptionEntitlementPrivilege(_View):
    """One privilege of a feature of a subscription."""

    @extend_schema(
        operation_id="destroySubscriptionEntitlementPrivilege",
        responses=schema.answer(ROOT, SubscriptionEntitlementAnswer),
    )
    def delete(self, request: Request, external_id: str, feature_code: str, privilege_code: str) -> Response:
        """Take a privilege from the subscription, also one that its plan gives; the feature stays."""
        entitlements.remove_privilege(
            external_id=external_id,
            status=self.status(request),
            feature_code=feature_code,
            privilege_code=privilege_code,
            actor=self.actor(request),
            at=self.at(),
        )
        return self.one(request, external_id, feature_code)
