"""Views that exist for tests only: each shows one thing that the base of the API does for every real view."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db import DataError
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, re_path
from rest_framework import serializers as drf
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import pagination, params, serializers, views

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

    resource = "plan"

    def post(self, request: Request) -> Response:
        name = self.root(request, "group").get("name")
        if name == "refused":
            raise errors.NotAllowed("is_draft")
        return Response({"group": {"id": Group.objects.create(name=f"{name}{Group.objects.count()}").pk}})


class Files(views.ApiView):
    """Writes a group and answers with a file, a stream, or nothing."""

    resource = "invoice"

    def post(self, request: Request, kind: str) -> HttpResponseBase:
        Group.objects.create(name=f"{kind}{Group.objects.count()}")
        if kind == "file":
            return HttpResponse(b"%PDF\x00", content_type="application/pdf", headers={"Content-Disposition": "inline"})
        if kind == "stream":
            return StreamingHttpResponse([b"a", b"b"], content_type="text/csv")
        return Response(status=200)


class Preview(views.ApiView):
    """A POST that writes nothing."""

    resource = "invoice"
    reads = ("post",)

    def post(self, request: Request) -> Response:
        return Response({"preview": {}})


class OneGroup(views.ApiView):
    """One object, whose ETag names what it is."""

    resource = "plan"
    is_conditional = True

    def get(self, request: Request, name: str) -> Response:
        return Response({"group": {"name": name, "permissions": _group(name).permissions.count()}})

    def put(self, request: Request, name: str) -> Response:
        group = _group(name)
        for number in range(int(self.root(request, "group")["add"])):
            group.permissions.add(Permission.objects.order_by("pk")[group.permissions.count() + number].pk)
        return self.get(request, name)

    def delete(self, request: Request, name: str) -> Response:
        answer = self.get(request, name)
        _group(name).delete()
        return answer


class Faulty(views.ApiView):
    """A write that ends in a fault."""

    resource = "plan"

    def post(self, request: Request) -> Response:
        Group.objects.create(name="before the fault")
        raise RuntimeError("a secret detail")


class Nameless(views.ApiView):
    """A view that names no resource."""

    def get(self, request: Request) -> Response:
        return Response({})


class Ingestion(views.ApiView):
    """Usage."""

    resource = "event"
    is_ingestion = True

    def post(self, request: Request) -> Response:
        return Response({"event": {}})


def _group(name: str) -> Group:
    found = Group.objects.filter(name=name).first()
    if found is None:
        raise errors.NotFound("group_not_found")
    return found


urlpatterns = [
    path("api/v1/files/<str:kind>", Files.as_view()),
    path("api/v1/preview", Preview.as_view()),
    path("api/v1/groups/<str:name>", OneGroup.as_view()),
    path("api/v1/faulty", Faulty.as_view()),
    path("api/v1/nameless", Nameless.as_view()),
    path("api/v1/ingestion", Ingestion.as_view()),
    path("api/v1/echo", Echo.as_view()),
    path("api/v1/raise/<str:kind>", Raise.as_view()),
    path("api/v1/names", Names.as_view()),
    path("api/v1/once", Once.as_view()),
    path("api/v1/things/<path:code>", Raise.as_view()),
    re_path(r"^api/v1/.*$", views.UnknownRoute.as_view()),
]
