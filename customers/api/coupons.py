"""``/coupons``. It is here because what may be changed of a coupon depends on who has it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Coupon as CouponRow
from catalog.queries import coupons as coupon_queries
from config.platform.api import pagination, params, schema, views
from customers.api.coupon_forms import CouponAnswer, CouponRequest
from customers.services import coupons

ROOT = "coupon"


class Coupons(views.ApiView):
    """All coupons."""

    resource = "coupon"

    @extend_schema(parameters=schema.filters("search_term"), responses=schema.page("coupons", CouponAnswer))
    def get(self, request: Request) -> Response:
        """List the coupons, newest first."""
        rows = coupon_queries.listed(search_term=params.text(request, "search_term"))
        return pagination.paginated(request, rows, "coupons", lambda found: [*CouponAnswer(found, many=True).data])

    @extend_schema(request=schema.body(ROOT, CouponRequest), responses=schema.answer(ROOT, CouponAnswer))
    def post(self, request: Request) -> Response:
        """Make a coupon."""
        values = self.body(request, ROOT, CouponRequest)
        return _answer(coupons.create(values=values, actor=self.actor(request), at=self.at()))


class Coupon(views.ApiView):
    """One coupon, by its code."""

    resource = "coupon"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, CouponAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a coupon."""
        return _answer(coupon_queries.by_code(code=code))

    @extend_schema(request=schema.changes(ROOT, CouponRequest), responses=schema.answer(ROOT, CouponAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change a coupon; of one that somebody has only name, description and end."""
        content = self.root(request, ROOT)
        coupon_queries.by_code(code=code)
        values = self.checked(content, CouponRequest, partial=True)
        return _answer(coupons.update(code=code, values=values, actor=self.actor(request), at=self.at()))

    @extend_schema(responses=schema.answer(ROOT, CouponAnswer))
    def delete(self, request: Request, code: str) -> Response:
        """Retire a coupon and take it off everybody who has it."""
        return _answer(coupons.delete(code=code, actor=self.actor(request), at=self.at()))


def _answer(coupon: CouponRow) -> Response:
    return Response({ROOT: CouponAnswer(coupon).data})
