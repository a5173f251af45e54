"""``/features``."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import feature_forms
from catalog.api.feature_forms import FeatureAnswer, FeatureRequest
from catalog.queries import features as known
from catalog.services import features
from config.platform.api import pagination, params, schema, views

ROOT = "feature"


class Features(views.ApiView):
    """All features."""

    resource = "feature"

    @extend_schema(parameters=schema.filters("search_term"), responses=schema.page("features", FeatureAnswer))
    def get(self, request: Request) -> Response:
        """List the features, newest first."""
        rows = known.listed(search_term=params.text(request, "search_term"))
        return pagination.paginated(
            request, rows, "features", lambda found: [feature_forms.shown(row) for row in found]
        )

    @extend_schema(request=schema.body(ROOT, FeatureRequest), responses=schema.answer(ROOT, FeatureAnswer))
    def post(self, request: Request) -> Response:
        """Make a feature with its privileges."""
        values = self.body(request, ROOT, FeatureRequest)
        made = features.create(values=values, actor=self.actor(request), at=self.at())
        return Response({ROOT: feature_forms.shown(made)})


class Feature(views.ApiView):
    """One feature, by its code."""

    resource = "feature"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, FeatureAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a feature."""
        return Response({ROOT: feature_forms.shown(known.by_code(code=code))})

    @extend_schema(request=schema.changes(ROOT, FeatureRequest), responses=schema.answer(ROOT, FeatureAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change names, and change or add the privileges that are sent; others stay."""
        content = self.root(request, ROOT)
        known.by_code(code=code)
        values = self.checked(content, FeatureRequest, partial=True)
        changed = features.update(code=code, values=values, actor=self.actor(request), at=self.at())
        return Response({ROOT: feature_forms.shown(changed)})

    @extend_schema(responses=schema.answer(ROOT, FeatureAnswer))
    def delete(self, request: Request, code: str) -> Response:
        """Retire a feature, on all plans and subscriptions."""
        gone = features.delete(code=code, actor=self.actor(request), at=self.at())
        return Response({ROOT: feature_forms.shown(gone)})


class FeaturePrivilege(views.ApiView):
    """One privilege of a feature."""

    resource = "feature"

    @extend_schema(responses=schema.answer(ROOT, FeatureAnswer))
    def delete(self, request: Request, code: str, privilege_code: str) -> Response:
        """Retire a privilege, on all plans and subscriptions."""
        changed = features.delete_privilege(
            code=code, privilege_code=privilege_code, actor=self.actor(request), at=self.at()
        )
        return Response({ROOT: feature_forms.shown(changed)})
