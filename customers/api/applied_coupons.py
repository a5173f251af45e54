"""``/applied_coupons``, and the coupons of one customer below ``/customers/:external_id/applied_coupons``."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import pagination, params, representations, schema, views
from customers.api.coupon_forms import AppliedCouponAnswer, AppliedCouponRequest, ListedAppliedCoupon
from customers.models import AppliedCoupon
from customers.queries import applied_coupons as known
from customers.queries import customers
from customers.queries.applied_coupons import AppliedCouponFilter
from customers.services import applied_coupons
from customers.services.applied_coupons import OwnTerms

ROOT, MANY, NAME = "applied_coupon", "applied_coupons", "customers.applied_coupon"
_TERMS = ("amount_cents", "amount_currency", "rate", "frequency", "frequency_duration")


class AppliedCoupons(views.ApiView):
    """The coupons of all customers."""

    resource = "applied_coupon"

    @extend_schema(
        parameters=schema.filters("status", "external_customer_id", many=("coupon_code",)),
        responses=schema.page(MANY, ListedAppliedCoupon),
    )
    def get(self, request: Request) -> Response:
        """List the coupons that customers have or had, newest first, with the invoices that used them."""
        return _page(request, params.text(request, "external_customer_id"))

    @extend_schema(request=schema.body(ROOT, AppliedCouponRequest), responses=schema.answer(ROOT, AppliedCouponAnswer))
    def post(self, request: Request) -> Response:
        """Give a customer a coupon, on terms of its own where they are sent."""
        values = self.body(request, ROOT, AppliedCouponRequest)
        terms = {name: values[name] for name in _TERMS if name in values}
        applied = applied_coupons.apply(
            external_customer_id=values["external_customer_id"],
            coupon_code=values["coupon_code"],
            terms=cast(OwnTerms, terms),
            actor=self.actor(request),
            at=self.at(),
        )
        return _answer(applied)


class CustomerAppliedCoupons(views.ApiView):
    """The coupons of one customer."""

    resource = "applied_coupon"

    @extend_schema(
        operation_id="findAllCustomerAppliedCoupons",
        parameters=schema.filters("status", many=("coupon_code",)),
        responses=schema.page(MANY, ListedAppliedCoupon),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List a customer's coupons, newest first, with the invoices that used them."""
        return _page(request, customers.by_external_id(external_id=external_id).external_id)


class CustomerAppliedCoupon(views.ApiView):
    """One coupon of a customer."""

    resource = "applied_coupon"

    @extend_schema(operation_id="deleteAppliedCoupon", responses=schema.answer(ROOT, AppliedCouponAnswer))
    def delete(self, request: Request, external_id: str, lago_id: str) -> Response:
        """Take a coupon off a customer: invoices issued from now on do not use it."""
        customer = customers.by_external_id(external_id=external_id)
        found = known.find(params.uuid(lago_id), customer=customer)
        return _answer(applied_coupons.terminate(applied_coupon_id=found.pk, actor=self.actor(request), at=self.at()))


def _page(request: Request, external_customer_id: str | None) -> Response:
    statuses = params.texts(request, "status", allowed=AppliedCoupon.Status.values)
    wanted = AppliedCouponFilter(
        status=statuses[0] if len(statuses) == 1 else None,
        external_customer_id=external_customer_id,
        coupon_codes=params.texts(request, "coupon_code"),
    )
    return pagination.paginated(request, known.search(wanted), MANY, _shapes)


def _shapes(rows: list[AppliedCoupon]) -> list[dict[str, Any]]:
    return representations.represent(NAME, rows)


def _answer(applied: AppliedCoupon) -> Response:
    return Response({ROOT: AppliedCouponAnswer(applied).data})
