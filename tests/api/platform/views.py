"""Views that exist for tests only: each shows one thing that the base of the API does for every real view."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import DataError
from django.urls import path
from rest_framework import serializers as drf
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import idempotency, pagination, params, serializers, views

KINDS = {
    "invalid": errors.Invalid("validation_errors", details={"name": ["value_is_mandatory"]}),
    "invalid_base": errors.Invalid("plan_locked"),
    "not_found": errors.NotFound("customer_not_found"),
    "not_allowed": errors.NotAllowed("not_voidable"),
    "forbidden": errors.Forbidden("feature_unavailable"),
    "conflict": errors.Conflict("taken"),
    "bad_request": errors.BadRequest("bad_request", "BadRequest: no"),
    "data_error": DataError("numeric field overflow"),
    "fault": RuntimeError("a secret detail"),
}


class RowRequest(serializers.RequestSerializer):
    """Nested input."""

    code = serializers.Text(required=True)


class ThingRequest(serializers.RequestSerializer):
    """One field of each kind."""

    name = serializers.Text(required=True, max_length=10)
    note = serializers.Text()
    amount_cents = serializers.MinorUnits(required=False)
    days = serializers.Whole()
    active = serializers.Flag()
    units = serializers.DecimalString(required=False)
    rate = serializers.Rate(required=False)
    at = serializers.Instant(required=False)
    kind = drf.ChoiceField(choices=["a", "b"], required=False)
    rows = serializers.Rows(RowRequest)


class ThingAnswer(drf.Serializer):
    """The same, out."""

    note = serializers.TextOrNull()
    units = serializers.DecimalString()
    rate = serializers.Rate()
    at = serializers.Instant()
    precise_at = serializers.Instant(milliseconds=True, source="at")


class Echo(views.ApiView):
    """Checks and shows what got through."""

    def post(self, request: Request) -> Response:
        content = self.body(request, "thing", ThingRequest)
        return Response({"thing": {key: repr(value) for key, value in content.items()}})


class Raise(views.ApiView):
    """Raises what the path names."""

    def get(self, request: Request, kind: str) -> Response:
        raise KINDS[kind]


class Names(views.ApiView):
    """A list with filters."""

    def get(self, request: Request) -> Response:
        groups = Group.objects.order_by("name")
        names = params.texts(request, "name", allowed=["g1", "g2", "g3"])
        if names:
            groups = groups.filter(name__in=names)
        params.flag(request, "flag")
        params.whole(request, "amount")
        params.day(request, "day")
        return pagination.paginated(request, groups, "names", lambda rows: [{"name": row.name} for row in rows])


class Once(views.ApiView):
    """Writes a group, once per idempotency key."""

    @idempotency.idempotent
    def post(self, request: Request) -> Response:
        name = self.root(request, "group").get("name")
        if name == "refused":
            raise errors.NotAllowed("is_draft")
        return Response({"group": {"id": Group.objects.create(name=f"{name}{Group.objects.count()}").pk}})


urlpatterns = [
    path("api/v1/echo", Echo.as_view()),
    path("api/v1/raise/<str:kind>", Raise.as_view()),
    path("api/v1/names", Names.as_view()),
    path("api/v1/once", Once.as_view()),
    path("api/v1/things/<path:code>", Raise.as_view()),
]
