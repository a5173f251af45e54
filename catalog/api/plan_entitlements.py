"""``/plans/:code/entitlements``: what a plan gives of the features. A change reaches everybody on the plan at once."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import feature_forms
from catalog.api.feature_forms import PlanEntitlementAnswer
from catalog.domain.entitlements import Entitlement
from catalog.queries import features as known
from catalog.queries import plans
from catalog.services import plan_entitlements
from config.kernel import errors
from config.platform.api import nested, schema, views
from config.platform.api.nested import EntitlementsRequest

LIST, ROOT = "entitlements", "entitlement"
_LISTED = schema.page(LIST, PlanEntitlementAnswer, meta=False)


class PlanEntitlements(views.ApiView):
    """All that a plan gives."""

    resource = "plan"

    @extend_schema(operation_id="findAllEntitlements", responses=_LISTED)
    def get(self, request: Request, code: str) -> Response:
        """List the features of a plan with their values."""
        return _all(code)

    @extend_schema(operation_id="createEntitlement", request=EntitlementsRequest, responses=_LISTED)
    def post(self, request: Request, code: str) -> Response:
        """Give a plan these features and values and nothing else."""
        asked = nested.values(request, LIST)
        plan_entitlements.replace(code=code, asked=asked, actor=self.actor(request), at=self.at())
        return _all(code)

    @extend_schema(operation_id="updateEntitlement", request=EntitlementsRequest, responses=_LISTED)
    def patch(self, request: Request, code: str) -> Response:
        """Give a plan these features and values beside those that it gives."""
        asked = nested.values(request, LIST)
        plan_entitlements.merge(code=code, asked=asked, actor=self.actor(request), at=self.at())
        return _all(code)


class PlanEntitlement(views.ApiView):
    """One feature of a plan."""

    resource = "plan"
    is_conditional = True

    @extend_schema(operation_id="findEntitlement", responses=schema.answer(ROOT, PlanEntitlementAnswer))
    def get(self, request: Request, code: str, feature_code: str) -> Response:
        """Show what a plan gives of a feature."""
        return _one(code, feature_code)

    @extend_schema(operation_id="destroyEntitlement", responses=schema.answer(ROOT, PlanEntitlementAnswer))
    def delete(self, request: Request, code: str, feature_code: str) -> Response:
        """Take a feature off a plan; answered as it was."""
        answer = _one(code, feature_code)
        plan_entitlements.remove_feature(code=code, feature_code=feature_code, actor=self.actor(request), at=self.at())
        return answer


class PlanEntitlementPrivilege(views.ApiView):
    """One value of a feature of a plan."""

    resource = "plan"

    @extend_schema(operation_id="removeEntitlementPrivilege", responses=schema.answer(ROOT, PlanEntitlementAnswer))
    def delete(self, request: Request, code: str, feature_code: str, privilege_code: str) -> Response:
        """Take a value off a plan; the feature stays."""
        plan_entitlements.remove_privilege(
            code=code,
            feature_code=feature_code,
            privilege_code=privilege_code,
            actor=self.actor(request),
            at=self.at(),
        )
        return _one(code, feature_code)


def _given(code: str) -> tuple[Entitlement, ...]:
    plan_id = plans.by_code(code=code).plan_id
    return known.of_plans([plan_id])[plan_id]


def _all(code: str) -> Response:
    return Response({LIST: feature_forms.of_plan(_given(code))})


def _one(code: str, feature_code: str) -> Response:
    found = [one for one in _given(code) if one.code == feature_code]
    if not found:
        raise errors.NotFound("entitlement_not_found", f"{code} does not give {feature_code}.")
    return Response({ROOT: feature_forms.of_plan(found)[0]})
