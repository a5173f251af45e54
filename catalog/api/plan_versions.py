"""``/plans/:code/versions``: what a plan was, is and will be sold for, and from when on a change of it is sold. An
addition to what clients of the reference know: to them a plan is its current version.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import cascading
from catalog.api.cascading import PlanChange
from catalog.api.charge_forms import ChargeAnswer
from catalog.api.fixed_charge_forms import FixedChargeAnswer
from catalog.domain import publications
from catalog.domain.publications import Publication
from catalog.models import PlanVersion
from catalog.queries import plans as plan_queries
from catalog.queries import versions as known
from catalog.services import versions
from config.kernel import errors
from config.platform.api import pagination, schema, views
from config.platform.api.serializers import Instant, MinorUnits

LIST, ROOT = "plan_versions", "plan_version"
UTC = ZoneInfo("UTC")


class PlanUpdate(PlanChange):
    """Another plan, who gets it, and from when on it is sold."""

    effective_at = Instant(
        required=False,
        allow_null=True,
        help_text="From when on the new version is sold: today or later. Existing subscriptions keep theirs then.",
    )


class PlanVersionAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A version of a plan."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_plan_id = serializers.UUIDField(source="plan.uuid")
    plan_code = serializers.CharField(source="plan.code")
    number = serializers.IntegerField()
    status = serializers.SerializerMethodField(help_text="current, scheduled, past or withdrawn.")
    published_at = Instant(source="created_at")
    effective_at = serializers.SerializerMethodField(help_text="From when on it is, or was to be, sold.")
    withdrawn_at = Instant(allow_null=True)
    moved_existing_subscriptions = serializers.BooleanField(
        source="moves_existing", help_text="Whether those who had the plan were moved to it when it came."
    )
    interval = serializers.CharField()
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    pay_in_advance = serializers.BooleanField()
    charges = ChargeAnswer(many=True)
    fixed_charges = FixedChargeAnswer(many=True)

    def get_status(self, version: PlanVersion) -> str:
        """Return where it is in its life."""
        return known.standing(version).value

    def get_effective_at(self, version: PlanVersion) -> str:
        """Return from when on it is sold."""
        return Instant().to_representation(version.effective_at or version.created_at)


class PlanVersions(views.ApiView):
    """All versions of a plan."""

    resource = "plan"

    @extend_schema(parameters=schema.filters(), responses=schema.page(LIST, PlanVersionAnswer))
    def get(self, request: Request, code: str) -> Response:
        """List the versions of a plan, newest first; those made for one contract are left out."""
        rows = known.of_plan(plan_queries.by_code(code=code).plan)
        return pagination.paginated(request, rows, LIST, lambda found: PlanVersionAnswer(found, many=True).data)


class OnePlanVersion(views.ApiView):
    """One version of a plan."""

    resource = "plan"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, PlanVersionAnswer))
    def get(self, request: Request, code: str, number: int) -> Response:
        """Show a version."""
        return _answer(known.by_number(plan_queries.by_code(code=code).plan, number=number))

    @extend_schema(responses=schema.answer(ROOT, PlanVersionAnswer))
    def delete(self, request: Request, code: str, number: int) -> Response:
        """Withdraw a version that is not sold yet. One that is or was sold is refused with 405."""
        versions.withdraw(code=code, number=number, actor=self.actor(request), at=self.at())
        return _answer(known.by_number(plan_queries.by_code(code=code).plan, number=number))


def taken(values: dict[str, Any], *, at: datetime) -> Publication:
    """Return what checked input says of when a change is sold and who gets it, and take it out of the input.

    Days count in UTC. Raises InvalidMoment, and Invalid for a later sale that is given to somebody at once.
    """
    moment = values.pop("effective_at", None)
    publication = cascading.taken(values)
    if moment is None:
        return publication
    if publication.cascades:
        details = {cascading.NAME: ["value_must_be_blank"]}
        raise errors.Invalid("validation_errors", "With a date of sale nobody is moved.", details)
    return publications.sold_from(moment, at=at, timezone=UTC)


def _answer(version: PlanVersion) -> Response:
    return Response({ROOT: PlanVersionAnswer(version).data})
