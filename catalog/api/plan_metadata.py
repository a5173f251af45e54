"""``/plans/:code/metadata``: the notes of a plan, all and one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Plan
from catalog.queries import plans
from catalog.services import plan_metadata
from config.kernel import errors
from config.platform.api import views

ROOT = "metadata"


class PlanNotesRequest(serializers.Serializer):  # type: ignore[type-arg]
    """Notes by key: at most 50, keys of at most 100 characters, values of at most 255."""

    metadata = serializers.DictField(child=serializers.CharField(allow_null=True, allow_blank=True))


class PlanNotesAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The notes of a plan by key; null where there are none."""

    metadata = serializers.DictField(child=serializers.CharField(allow_null=True), allow_null=True)


class PlanMetadata(views.ApiView):
    """All notes of a plan."""

    resource = "plan"

    @extend_schema(operation_id="replacePlanMetadata", request=PlanNotesRequest, responses={200: PlanNotesAnswer})
    def post(self, request: Request, code: str) -> Response:
        """Make these the notes, in place of all that there were."""
        sent = _sent(request, code)
        return _told(plan_metadata.replace(code=code, metadata=sent, actor=self.actor(request), at=self.at()))

    @extend_schema(operation_id="mergePlanMetadata", request=PlanNotesRequest, responses={200: PlanNotesAnswer})
    def patch(self, request: Request, code: str) -> Response:
        """Set these notes, and leave the others."""
        sent = _sent(request, code)
        return _told(plan_metadata.merge(code=code, metadata=sent, actor=self.actor(request), at=self.at()))

    @extend_schema(operation_id="deleteAllPlanMetadata", responses={200: PlanNotesAnswer})
    def delete(self, request: Request, code: str) -> Response:
        """Remove all notes."""
        return _told(plan_metadata.replace(code=code, metadata={}, actor=self.actor(request), at=self.at()))


class PlanNote(views.ApiView):
    """One note of a plan."""

    resource = "plan"

    @extend_schema(operation_id="deletePlanMetadataKey", responses={200: PlanNotesAnswer})
    def delete(self, request: Request, code: str, key: str) -> Response:
        """Remove one note. 404 where there is none of this key."""
        return _told(plan_metadata.remove(code=code, key=key, actor=self.actor(request), at=self.at()))


def _sent(request: Request, code: str) -> Mapping[str, Any]:
    """Return the notes of the body. Raises BadRequest without them, NotFound without the plan, Invalid otherwise."""
    content = request.data if isinstance(request.data, Mapping) else {}
    if ROOT not in content:
        message = f"BadRequest: param is missing or the value is empty or invalid: {ROOT}"
        raise errors.BadRequest("bad_request", message)
    plans.by_code(code=code)
    sent = content[ROOT]
    if not isinstance(sent, Mapping):
        raise errors.Invalid("validation_errors", "The metadata are no object.", {ROOT: ["value_is_invalid"]})
    return sent


def _told(plan: Plan) -> Response:
    return Response({ROOT: plan.metadata or None})
