"""``/plans/:code/charges``. Each change makes a new version of the plan."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import cascading
from catalog.api.cascading import ChargeChange
from catalog.api.charge_forms import ChargeAnswer
from catalog.queries import plans as plan_queries
from catalog.services import plans
from config.platform.api import pagination, schema, views

ROOT = "charge"


class Charges(views.ApiView):
    """The charges of a plan's current version."""

    resource = "plan"

    @extend_schema(parameters=schema.PAGE, responses=schema.page("charges", ChargeAnswer))
    def get(self, request: Request, code: str) -> Response:
        """List the charges in their order."""
        rows = plan_queries.charges(plan_queries.by_code(code=code))
        return pagination.paginated(request, rows, "charges", lambda found: ChargeAnswer(found, many=True).data)

    @extend_schema(request=schema.body(ROOT, ChargeChange), responses=schema.answer(ROOT, ChargeAnswer))
    def post(self, request: Request, code: str) -> Response:
        """Add a charge."""
        content = self.root(request, ROOT)
        plan_queries.by_code(code=code)
        values = _without_id(self.checked(content, ChargeChange))
        publication = cascading.taken(values)
        added = plans.add_charge(
            code=code, values=values, actor=self.actor(request), at=self.at(), publication=publication
        )
        return _answer(code, added.code)


class Charge(views.ApiView):
    """One charge, by its code."""

    resource = "plan"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, ChargeAnswer))
    def get(self, request: Request, code: str, charge_code: str) -> Response:
        """Show a charge."""
        return _answer(code, charge_code)

    @extend_schema(request=schema.changes(ROOT, ChargeChange), responses=schema.answer(ROOT, ChargeAnswer))
    def put(self, request: Request, code: str, charge_code: str) -> Response:
        """Change a charge."""
        content = self.root(request, ROOT)
        plan_queries.charge(plan_queries.by_code(code=code), charge_code=charge_code)
        values = _without_id(self.checked(content, ChargeChange, partial=True))
        publication = cascading.taken(values)
        changed = plans.change_charge(
            code=code,
            charge_code=charge_code,
            values=values,
            actor=self.actor(request),
            at=self.at(),
            publication=publication,
        )
        return _answer(code, changed.code)

    @extend_schema(parameters=schema.filters(cascading.NAME, paged=False), responses=schema.answer(ROOT, ChargeAnswer))
    def delete(self, request: Request, code: str, charge_code: str) -> Response:
        """Take a charge off the plan."""
        answer = _answer(code, charge_code)
        plans.remove_charge(
            code=code,
            charge_code=charge_code,
            actor=self.actor(request),
            at=self.at(),
            publication=cascading.asked(request),
        )
        return answer


def _without_id(values: dict[str, Any]) -> Any:
    """Leave out an id: the address names the charge."""
    return {key: value for key, value in values.items() if key != "id"}


def _answer(code: str, charge_code: str) -> Response:
    found = plan_queries.charge(plan_queries.by_code(code=code), charge_code=charge_code)
    return Response({ROOT: ChargeAnswer(found).data})
