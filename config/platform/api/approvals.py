"""``/approvals``, an addition: what waits for a second person, and what became of it. Deciding needs a person, in the
admin: a key is nobody in particular. Owns how a request looks outside; what its form had in it is not shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from drf_spectacular.utils import extend_schema
from moneyed import Money
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import money
from config.platform.api import pagination, params, schema, views
from config.platform.api.serializers import Instant
from config.platform.models import ApprovalRequest
from config.platform.queries import activities
from config.platform.queries import approvals as known

ROOT, LIST = "approval", "approvals"


class ApprovalAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What somebody asked to have done."""

    lago_id = serializers.UUIDField(help_text="The id of the request.")
    action = serializers.CharField(help_text="What needs the second person, such as `write_off`.")
    status = serializers.ChoiceField(
        choices=ApprovalRequest.Status.values,
        help_text="`waiting`; `approved` and done; `rejected`; `withdrawn` by who asked; `failed`: not to be done any "
        "more.",
    )
    label = serializers.CharField(help_text="What is to be done, as people read it.")
    resource_type = serializers.CharField(help_text="The kind of the object, such as `Invoice`.")
    resource_id = serializers.UUIDField(allow_null=True, help_text="The object; null where something new is made.")
    resource_name = serializers.CharField(help_text="What the object is called.")
    amount_cents = serializers.IntegerField(allow_null=True, help_text="What it is about, in minor units.")
    amount_currency = serializers.CharField(allow_null=True, help_text="The currency of the amounts (ISO 4217).")
    total_amount_cents = serializers.IntegerField(
        allow_null=True, help_text="What was held against the limit: the amount with what went before it."
    )
    groups = serializers.ListField(child=serializers.CharField(), help_text="The roles whose people decide.")
    reason = serializers.CharField(help_text="Why it is wanted.")
    asked_by = serializers.CharField(help_text="Who asked.")
    asked_at = Instant(help_text="When it was asked.")
    decided_by = serializers.CharField(allow_null=True, help_text="Who decided, or withdrew it; null while it waits.")
    decided_at = Instant(allow_null=True, help_text="When it was decided; null while it waits.")
    remark = serializers.CharField(help_text="What was said with the decision, or why it could not be done.")


class Approvals(views.ApiView):
    """All requests."""

    resource = "approval"

    @extend_schema(
        parameters=schema.filters("resource_id", many=("status", "action")),
        responses=schema.page(LIST, ApprovalAnswer),
    )
    def get(self, request: Request) -> Response:
        """List what was asked for, newest first."""
        rows = known.requests(
            statuses=params.texts(request, "status", allowed=ApprovalRequest.Status.values),
            actions=params.texts(request, "action"),
        )
        wanted = params.text(request, "resource_id")
        if wanted is not None:
            rows = known.about(rows, uuid=params.uuid(wanted))
        return pagination.paginated(request, rows, LIST, payload)


class OneApproval(views.ApiView):
    """One request."""

    resource = "approval"

    @extend_schema(responses=schema.answer(ROOT, ApprovalAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show what was asked for, and what became of it."""
        (content,) = payload([known.by_uuid(params.uuid(lago_id))])
        return Response({ROOT: content})


def payload(instances: Sequence[ApprovalRequest]) -> list[dict[str, Any]]:
    """Return requests in their order. One query more for each kind of object among them."""
    rows = {row.pk: row for row in known.requests().filter(pk__in={one.pk for one in instances})}
    ids = _objects(list(rows.values()))
    return list(ApprovalAnswer([_told(rows[one.pk], ids) for one in instances], many=True).data)


def _objects(rows: Sequence[ApprovalRequest]) -> dict[tuple[str, int], UUID]:
    keys: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row.object_id is not None:
            keys[row.object_type].add(row.object_id)
    found = {}
    for label, ids in keys.items():
        named = apps.get_model(label)._base_manager.filter(pk__in=ids).values_list("pk", "uuid")
        found |= {(label, pk): uuid for pk, uuid in named}
    return found


def _told(row: ApprovalRequest, ids: dict[tuple[str, int], UUID]) -> dict[str, Any]:
    return {
        "lago_id": row.uuid,
        "action": row.action,
        "status": row.status,
        "label": row.verb_label,
        "resource_type": activities.resource_type(row.object_type),
        "resource_id": None if row.object_id is None else ids.get((row.object_type, row.object_id)),
        "resource_name": row.object_label,
        "amount_cents": _cents(row.amount, row.currency),
        "amount_currency": row.currency or None,
        "total_amount_cents": _cents(row.total, row.currency),
        "groups": sorted(group.name for group in row.groups.all()),
        "reason": row.reason,
        "asked_by": _name(row.asked_by),
        "asked_at": row.asked_at,
        "decided_by": None if row.decided_by is None else _name(row.decided_by),
        "decided_at": row.decided_at,
        "remark": row.remark,
    }


def _cents(amount: Any, currency: str) -> int | None:
    return None if amount is None else money.to_minor(Money(money.quantize(amount, currency=currency), currency))


def _name(person: Any) -> str:
    return str(person.get_full_name() or person.get_username())
