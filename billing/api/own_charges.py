"""``/subscriptions/:external_id/charges``: the charges of a subscription's plan, with the terms of its own.

Changing one agrees on a price for this subscription alone.
"""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import own_terms_forms
from billing.api.own_terms_forms import ChargeTerms, OwnFilter
from billing.api.subscriptions import WHICH, SubscriptionView
from billing.models import Subscription
from billing.services import own_charges
from catalog.models import Charge, ChargeFilter
from catalog.queries import plans
from config.kernel import errors
from config.platform.api import pagination, representations, schema

ROOT, LIST = "charge", "charges"
FILTER, FILTERS = "filter", "filters"
_Charge = representations.serializer("catalog.charge")
_Filter = representations.serializer("catalog.charge_filter")


@extend_schema(parameters=WHICH)
class SubscriptionCharges(SubscriptionView):
    """All charges of a subscription."""

    @extend_schema(
        operation_id="findAllSubscriptionCharges",
        parameters=[*WHICH, *schema.PAGE],
        responses=schema.page(LIST, _Charge),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List them in the plan's order, at the subscription's own prices."""
        rows = plans.charges(self.subscription(request, external_id).plan_version)
        return pagination.paginated(request, rows, LIST, lambda found: _Charge(found, many=True).data)


@extend_schema(parameters=WHICH)
class SubscriptionCharge(SubscriptionView):
    """One charge of a subscription, by its code."""

    is_conditional = True

    @extend_schema(operation_id="findSubscriptionCharge", responses=schema.answer(ROOT, _Charge))
    def get(self, request: Request, external_id: str, code: str) -> Response:
        """Show it at the subscription's own price."""
        return _shown(_charge(self.subscription(request, external_id), code))

    @extend_schema(
        operation_id="overrideSubscriptionCharge",
        request=schema.changes(ROOT, ChargeTerms),
        responses=schema.answer(ROOT, _Charge),
    )
    def put(self, request: Request, external_id: str, code: str) -> Response:
        """Agree on another price, minimum, name or tax, for this subscription alone, from what is not billed yet on."""
        content = self.root(request, ROOT)
        found = self.subscription(request, external_id)
        _charge(found, code)
        values = own_terms_forms.of_charge(self.checked(content, ChargeTerms, partial=True))
        now = own_charges.agree(
            subscription_id=found.pk, code=code, values=values, actor=self.actor(request), at=self.at()
        )
        return _shown(_charge(now, code))


@extend_schema(parameters=WHICH)
class SubscriptionChargeFilters(SubscriptionView):
    """The filters of a subscription's charge."""

    @extend_schema(
        operation_id="findAllSubscriptionChargeFilters",
        parameters=[*WHICH, *schema.PAGE],
        responses=schema.page(FILTERS, _Filter),
    )
    def get(self, request: Request, external_id: str, code: str) -> Response:
        """List them in their order."""
        charge = _charge(self.subscription(request, external_id), code)
        rows = ChargeFilter.objects.filter(charge=charge).select_related("charge")
        return pagination.paginated(request, rows, FILTERS, lambda found: _Filter(found, many=True).data)

    @extend_schema(
        operation_id="createSubscriptionChargeFilter",
        request=schema.body(FILTER, OwnFilter),
        responses=schema.answer(FILTER, _Filter),
    )
    def post(self, request: Request, external_id: str, code: str) -> Response:
        """Price some values apart, for this subscription alone."""
        content = self.root(request, FILTER)
        found = self.subscription(request, external_id)
        _charge(found, code)
        now, filter_id = own_charges.add_filter(
            subscription_id=found.pk,
            code=code,
            values=self.checked(content, OwnFilter),
            actor=self.actor(request),
            at=self.at(),
        )
        return _shown_filter(own_charges.filter_of(_charge(now, code), filter_id))


@extend_schema(parameters=WHICH)
class SubscriptionChargeFilter(SubscriptionView):
    """One filter of a subscription's charge, by its id."""

    is_conditional = True

    @extend_schema(operation_id="findSubscriptionChargeFilter", responses=schema.answer(FILTER, _Filter))
    def get(self, request: Request, external_id: str, code: str, lago_id: str) -> Response:
        """Show it."""
        charge = _charge(self.subscription(request, external_id), code)
        return _shown_filter(own_charges.filter_of(charge, _uuid(lago_id)))

    @extend_schema(
        operation_id="updateSubscriptionChargeFilter",
        request=schema.changes(FILTER, OwnFilter),
        responses=schema.answer(FILTER, _Filter),
    )
    def put(self, request: Request, external_id: str, code: str, lago_id: str) -> Response:
        """Agree on another price or name; the values stay."""
        content = self.root(request, FILTER)
        found = self.subscription(request, external_id)
        own_charges.filter_of(_charge(found, code), _uuid(lago_id))
        now = own_charges.change_filter(
            subscription_id=found.pk,
            code=code,
            filter_id=_uuid(lago_id),
            values=self.checked(content, OwnFilter, partial=True),
            actor=self.actor(request),
            at=self.at(),
        )
        return _shown_filter(own_charges.filter_of(_charge(now, code), _uuid(lago_id)))

    @extend_schema(operation_id="destroySubscriptionChargeFilter", responses=schema.answer(FILTER, _Filter))
    def delete(self, request: Request, external_id: str, code: str, lago_id: str) -> Response:
        """Price its values as the rest of the charge, for this subscription alone."""
        found = self.subscription(request, external_id)
        _, gone = own_charges.remove_filter(
            subscription_id=found.pk, code=code, filter_id=_uuid(lago_id), actor=self.actor(request), at=self.at()
        )
        return _shown_filter(gone)


def _charge(subscription: Subscription, code: str) -> Charge:
    return plans.charge(subscription.plan_version, charge_code=code)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise errors.NotFound("charge_filter_not_found", "The charge has no filter of this id.") from error


def _shown(charge: Charge) -> Response:
    return Response({ROOT: _Charge(charge).data})


def _shown_filter(row: ChargeFilter) -> Response:
    return Response({FILTER: _Filter(row).data})
