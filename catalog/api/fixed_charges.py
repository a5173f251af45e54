"""``/plans/:code/fixed_charges``. Each change makes a new version of the plan."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import cascading
from catalog.api.cascading import FixedChargeChange
from catalog.api.fixed_charge_forms import FixedChargeAnswer
from catalog.queries import plans as plan_queries
from catalog.services import fixed_charges
from config.platform.api import pagination, schema, views

ROOT = "fixed_charge"


class FixedCharges(views.ApiView):
    """The fixed charges of a plan's current version."""

    resource = "plan"

    @extend_schema(parameters=schema.PAGE, responses=schema.page("fixed_charges", FixedChargeAnswer))
    def get(self, request: Request, code: str) -> Response:
        """List the fixed charges in their order."""
        rows = plan_queries.fixed_charges(plan_queries.by_code(code=code))
        return pagination.paginated(
            request, rows, "fixed_charges", lambda found: FixedChargeAnswer(found, many=True).data
        )

    @extend_schema(request=schema.body(ROOT, FixedChargeChange), responses=schema.answer(ROOT, FixedChargeAnswer))
    def post(self, request: Request, code: str) -> Response:
        """Add a fixed charge."""
        content = self.root(request, ROOT)
        plan_queries.by_code(code=code)
        values = _without_id(self.checked(content, FixedChargeChange))
        publication = cascading.taken(values)
        added = fixed_charges.add(
            code=code, values=values, actor=self.actor(request), at=self.at(), publication=publication
        )
        return _answer(code, added.code)


class FixedCharge(views.ApiView):
    """One fixed charge, by its code."""

    resource = "plan"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, FixedChargeAnswer))
    def get(self, request: Request, code: str, fixed_charge_code: str) -> Response:
        """Show a fixed charge."""
        return _answer(code, fixed_charge_code)

    @extend_schema(request=schema.changes(ROOT, FixedChargeChange), responses=schema.answer(ROOT, FixedChargeAnswer))
    def put(self, request: Request, code: str, fixed_charge_code: str) -> Response:
        """Change a fixed charge."""
        content = self.root(request, ROOT)
        plan_queries.fixed_charge(plan_queries.by_code(code=code), fixed_charge_code=fixed_charge_code)
        values = _without_id(self.checked(content, FixedChargeChange, partial=True))
        publication = cascading.taken(values)
        changed = fixed_charges.change(
            code=code,
            fixed_charge_code=fixed_charge_code,
            values=values,
            actor=self.actor(request),
            at=self.at(),
            publication=publication,
        )
        return _answer(code, changed.code)

    @extend_schema(
        parameters=schema.filters(cascading.NAME, paged=False), responses=schema.answer(ROOT, FixedChargeAnswer)
    )
    def delete(self, request: Request, code: str, fixed_charge_code: str) -> Response:
        """Take a fixed charge off the plan."""
        answer = _answer(code, fixed_charge_code)
        fixed_charges.remove(
            code=code,
            fixed_charge_code=fixed_charge_code,
            actor=self.actor(request),
            at=self.at(),
            publication=cascading.asked(request),
        )
        return answer


def _without_id(values: dict[str, Any]) -> Any:
    """Leave out an id: the address names the fixed charge."""
    return {key: value for key, value in values.items() if key != "id"}


def _answer(code: str, fixed_charge_code: str) -> Response:
    found = plan_queries.fixed_charge(plan_queries.by_code(code=code), fixed_charge_code=fixed_charge_code)
    return Response({ROOT: FixedChargeAnswer(found).data})
