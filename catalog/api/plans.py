"""``/plans``."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import plan_versions
from catalog.api.plan_forms import PlanAnswer, PlanRequest, PlanSummaryAnswer
from catalog.api.plan_versions import PlanUpdate
from catalog.models import PlanVersion
from catalog.queries import plans as plan_queries
from catalog.services import plan_deletions, plans
from catalog.services.plans import PlanValues
from config.platform.api import pagination, params, representations, schema, views

ROOT = "plan"


class Plans(views.ApiView):
    """All plans."""

    resource = "plan"

    @extend_schema(parameters=schema.filters("search_term"), responses=schema.page("plans", PlanSummaryAnswer))
    def get(self, request: Request) -> Response:
        """List the plans, newest first."""
        rows = plan_queries.current(search_term=params.text(request, "search_term"))
        return pagination.paginated(
            request, rows, "plans", lambda found: representations.represent("catalog.plan_summary", found)
        )

    @extend_schema(request=schema.body(ROOT, PlanRequest), responses=schema.answer(ROOT, PlanAnswer))
    def post(self, request: Request) -> Response:
        """Make a plan."""
        values = self.body(request, ROOT, PlanRequest)
        return _answer(plans.create(values=values, actor=self.actor(request), at=self.at()))


class Plan(views.ApiView):
    """One plan, by its code."""

    resource = "plan"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, PlanAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a plan."""
        return _answer(plan_queries.by_code(code=code))

    @extend_schema(request=schema.changes(ROOT, PlanUpdate), responses=schema.answer(ROOT, PlanAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change a plan; another price makes a new version of it."""
        content = self.root(request, ROOT)
        plan_queries.by_code(code=code)
        values = self.checked(content, PlanUpdate, partial=True)
        at = self.at()
        publication = plan_versions.taken(values, at=at)
        changed = plans.update(
            code=code, values=PlanValues(**values), actor=self.actor(request), at=at, publication=publication
        )
        return _answer(changed)

    @extend_schema(responses=schema.answer(ROOT, PlanAnswer))
    def delete(self, request: Request, code: str) -> Response:
        """Retire a plan; ``pending_deletion`` until the subscriptions to it have ended, which is done soon."""
        return _answer(plan_deletions.ask(code=code, actor=self.actor(request), at=self.at()))


def _answer(version: PlanVersion) -> Response:
    return Response({ROOT: representations.one("catalog.plan", version)})
