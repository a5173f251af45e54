"""Checks of the books below ``/api/v1/books_checks``: the runs, and one with what it found. Only to be read."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.serializers import Instant
from config.platform.api.views import ApiView
from invoicing.models import BooksCheck
from invoicing.queries import books_checks


class BooksFindingShape(serializers.Serializer):  # type: ignore[type-arg]
    """A row that breaks a check: of which model, which one, what it is called, and what is wrong."""

    subject_type = serializers.CharField()
    subject_id = serializers.IntegerField()
    label = serializers.CharField()
    message = serializers.CharField()


class BooksResultShape(serializers.Serializer):  # type: ignore[type-arg]
    """What a check came to. All findings are counted; the first hundred are there."""

    name = serializers.CharField()
    title = serializers.CharField()
    proves = serializers.CharField()
    is_sampled = serializers.BooleanField()
    status = serializers.CharField()
    looked_at = serializers.IntegerField()
    findings_count = serializers.IntegerField()
    milliseconds = serializers.IntegerField()
    error = serializers.CharField()
    findings = BooksFindingShape(many=True)


class BooksCheckShape(serializers.Serializer):  # type: ignore[type-arg]
    """One run of all checks."""

    lago_id = serializers.UUIDField(source="uuid")
    id = serializers.UUIDField(source="uuid")
    as_of = Instant()
    trigger = serializers.CharField()
    status = serializers.CharField()
    since = Instant(allow_null=True)
    sample = serializers.IntegerField()
    seed = serializers.IntegerField()
    finished_at = Instant(allow_null=True)
    milliseconds = serializers.IntegerField()
    checks_count = serializers.IntegerField()
    broken_count = serializers.IntegerField()
    findings_count = serializers.IntegerField()
    results = BooksResultShape(many=True)


class BooksChecks(ApiView):
    """All runs."""

    resource = "books_check"

    @extend_schema(
        operation_id="findAllBooksChecks",
        parameters=schema.filters("status"),
        responses=schema.page("books_checks", BooksCheckShape),
    )
    def get(self, request: Request) -> Response:
        """List the runs of the books check, newest first, with what each found."""
        found = params.texts(request, "status", allowed=BooksCheck.Status.values)
        rows = books_checks.search(status=found[0] if found else None)
        return paginated(request, rows, "books_checks", _shapes)


class OneBooksCheck(ApiView):
    """One run."""

    resource = "books_check"

    @extend_schema(operation_id="findBooksCheck", responses=schema.answer("books_check", BooksCheckShape))
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a run of the books check with what it found."""
        return Response({"books_check": _shapes([books_checks.find(params.uuid(lago_id))])[0]})


def _shapes(rows: list[BooksCheck]) -> list[dict[str, Any]]:
    return [dict(content) for content in BooksCheckShape(rows, many=True).data]
