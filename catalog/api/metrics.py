"""``/billable_metrics``."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.metric_forms import MetricAnswer, MetricRequest
from catalog.domain.metrics import Aggregation
from catalog.models import BillableMetric
from catalog.queries import metrics as metric_queries
from catalog.services import metric_deletions, metrics
from config.platform.api import pagination, params, representations, schema, views

ROOT, NAME = "billable_metric", "catalog.billable_metric"


class Metrics(views.ApiView):
    """All metrics."""

    resource = "billable_metric"

    @extend_schema(
        parameters=schema.filters("search_term", many=("aggregation_types",)),
        responses=schema.page("billable_metrics", MetricAnswer),
    )
    def get(self, request: Request) -> Response:
        """List the metrics, newest first."""
        rows = metric_queries.listed(
            aggregation_types=params.texts(request, "aggregation_types", allowed=[str(kind) for kind in Aggregation]),
            search_term=params.text(request, "search_term"),
        )
        return pagination.paginated(
            request, rows, "billable_metrics", lambda found: representations.represent(NAME, found)
        )

    @extend_schema(request=schema.body(ROOT, MetricRequest), responses=schema.answer(ROOT, MetricAnswer))
    def post(self, request: Request) -> Response:
        """Make a metric."""
        values = self.body(request, ROOT, MetricRequest)
        return _answer(metrics.create(values=values, actor=self.actor(request), at=self.at()))


class Metric(views.ApiView):
    """One metric, by its code."""

    resource = "billable_metric"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, MetricAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a metric."""
        return _answer(metric_queries.by_code(code=code))

    @extend_schema(request=schema.changes(ROOT, MetricRequest), responses=schema.answer(ROOT, MetricAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change a metric; once it is priced, only its name, description and filters."""
        content = self.root(request, ROOT)
        metric_queries.by_code(code=code)
        values = self.checked(content, MetricRequest, partial=True)
        return _answer(metrics.update(code=code, values=values, actor=self.actor(request), at=self.at()))

    @extend_schema(responses=schema.answer(ROOT, MetricAnswer))
    def delete(self, request: Request, code: str) -> Response:
        """Retire a metric; plans lose the charges on it. To be asked first, take them off the plans yourself."""
        return _answer(metric_deletions.delete(code=code, actor=self.actor(request), at=self.at()))


def _answer(metric: BillableMetric) -> Response:
    return Response({ROOT: representations.one(NAME, metric)})
