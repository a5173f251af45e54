"""``/plans/:code/charges/:charge_code/filters``: the filters of a plan's charge, one by one. Each change makes a new
version of the plan.
"""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import cascading
from catalog.api.cascading import FilterChange
from catalog.api.charge_forms import FilterAnswer
from catalog.models import Charge, ChargeFilter
from catalog.queries import plans
from catalog.services import charge_filters
from config.kernel import errors
from config.platform.api import pagination, params, schema, views

ROOT, LIST = "filter", "filters"


class ChargeFilters(views.ApiView):
    """The filters of a charge of the plan's current version."""

    resource = "plan"

    @extend_schema(
        operation_id="findAllPlanChargeFilters", parameters=schema.PAGE, responses=schema.page(LIST, FilterAnswer)
    )
    def get(self, request: Request, code: str, charge_code: str) -> Response:
        """List the filters in their order."""
        rows = plans.charge_filters(_charge(code, charge_code))
        return pagination.paginated(request, rows, LIST, lambda found: list(FilterAnswer(found, many=True).data))

    @extend_schema(
        operation_id="createPlanChargeFilter",
        request=schema.body(ROOT, FilterChange),
        responses=schema.answer(ROOT, FilterAnswer),
    )
    def post(self, request: Request, code: str, charge_code: str) -> Response:
        """Price some values apart."""
        content = self.root(request, ROOT)
        _charge(code, charge_code)
        values = self.checked(content, FilterChange)
        publication = cascading.taken(values)
        added = charge_filters.add(
            code=code,
            charge_code=charge_code,
            values=cascading.filter_values(values),
            actor=self.actor(request),
            at=self.at(),
            publication=publication,
        )
        return _shown(added)


class OneChargeFilter(views.ApiView):
    """One filter of a charge, by its id."""

    resource = "plan"

    @extend_schema(operation_id="findPlanChargeFilter", responses=schema.answer(ROOT, FilterAnswer))
    def get(self, request: Request, code: str, charge_code: str, lago_id: str) -> Response:
        """Show a filter."""
        return _shown(_found(code, charge_code, lago_id))

    @extend_schema(
        operation_id="updatePlanChargeFilter",
        request=schema.changes(ROOT, FilterChange),
        responses=schema.answer(ROOT, FilterAnswer),
    )
    def put(self, request: Request, code: str, charge_code: str, lago_id: str) -> Response:
        """Change the price, the name or the values of a filter; what is not sent stays."""
        content = self.root(request, ROOT)
        found = _found(code, charge_code, lago_id)
        values = self.checked(content, FilterChange, partial=True)
        publication = cascading.taken(values)
        changed = charge_filters.change(
            code=code,
            charge_code=charge_code,
            key=found.key,
            values=cascading.filter_values(values),
            actor=self.actor(request),
            at=self.at(),
            publication=publication,
        )
        return _shown(changed)

    @extend_schema(
        operation_id="destroyPlanChargeFilter",
        parameters=schema.filters(cascading.NAME, paged=False),
        responses=schema.answer(ROOT, FilterAnswer),
    )
    def delete(self, request: Request, code: str, charge_code: str, lago_id: str) -> Response:
        """Price the values of a filter as the rest of the charge; answered as it was."""
        gone = charge_filters.remove(
            code=code,
            charge_code=charge_code,
            key=_key(lago_id),
            actor=self.actor(request),
            at=self.at(),
            publication=cascading.asked(request),
        )
        return _shown(gone)


def _charge(code: str, charge_code: str) -> Charge:
    return plans.charge(plans.by_code(code=code), charge_code=charge_code)


def _found(code: str, charge_code: str, lago_id: str) -> ChargeFilter:
    charge = _charge(code, charge_code)
    return plans.charge_filter(charge, key=_key(lago_id))


def _key(lago_id: str) -> UUID:
    found = params.uuid(lago_id)
    if found is None:
        raise errors.NotFound("charge_filter_not_found", "The charge has no filter of this id.")
    return found


def _shown(row: ChargeFilter) -> Response:
    return Response({ROOT: FilterAnswer(row).data})
