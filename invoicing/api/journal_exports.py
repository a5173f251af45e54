"""Journal exports below ``/api/v1/ledger/exports``: make one, list them, fetch the files. Additions to the API."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.serializers import RequestSerializer
from config.platform.api.views import ApiView
from customers.queries import billing_entities
from invoicing.api import ledger, ledger_shapes
from invoicing.models import JournalExport
from invoicing.services import journal_exports


class ExportRequest(RequestSerializer):
    """Whose journal, and the last accounting day; null takes all that was not exported yet."""

    billing_entity_code = serializers.CharField(max_length=255)
    # Asked for even where it is null: an export that took too much cannot be taken back.
    to_date = serializers.DateField(allow_null=True)


def _find(lago_id: str) -> JournalExport:
    rows = JournalExport.objects.select_related("billing_entity")
    export = rows.filter(uuid=params.uuid(lago_id)).first() if params.uuid(lago_id) else None
    if export is None:
        raise errors.NotFound("journal_export_not_found", "There is no such export.")
    return export


class Exports(ApiView):
    """All exports."""

    resource = "ledger"

    @extend_schema(
        operation_id="findAllJournalExports",
        parameters=schema.filters("billing_entity_code"),
        responses=schema.page("exports", ledger_shapes.ExportShape),
    )
    def get(self, request: Request) -> Response:
        """List exports, newest first."""
        rows = JournalExport.objects.select_related("billing_entity").order_by("-id")
        if params.text(request, "billing_entity_code"):
            rows = rows.filter(billing_entity=ledger.seller(request))
        return paginated(request, rows, "exports", ledger_shapes.exports)

    @extend_schema(
        operation_id="createJournalExport",
        request=schema.body("export", ExportRequest),
        responses=schema.answer("export", ledger_shapes.ExportShape),
    )
    def post(self, request: Request) -> Response:
        """Export what was not exported yet, up to a day or all of it. The same day gives the same export."""
        content = self.body(request, "export", ExportRequest)
        export = journal_exports.create(
            billing_entity_id=billing_entities.by_code(code=content["billing_entity_code"]).pk,
            until_date=content.get("to_date"),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({"export": ledger_shapes.ExportShape(export).data})


class OneExport(ApiView):
    """One export."""

    resource = "ledger"

    @extend_schema(
        operation_id="findJournalExport",
        responses=schema.answer("export", ledger_shapes.ExportShape),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """Return an export with its control totals."""
        return Response({"export": ledger_shapes.ExportShape(_find(lago_id)).data})


class ExportFile(ApiView):
    """The file of an export."""

    resource = "ledger"

    @extend_schema(
        operation_id="downloadJournalExport",
        responses={(200, "text/csv"): OpenApiTypes.BINARY, (200, "application/json"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, lago_id: str, kind: str) -> StreamingHttpResponse:
        """Send the file: the same bytes every time, with the digest that the export names."""
        export = _find(lago_id)
        response = StreamingHttpResponse(
            journal_exports.content(export=export, kind=kind),
            content_type="text/csv; charset=utf-8" if kind == "csv" else "application/json",
        )
        name = journal_exports.file_name(export=export, kind=kind)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "private, no-store"
        return response


@extend_schema_view(get=extend_schema(operation_id="downloadJournalExportJson"))
class ExportJson(ExportFile):
    """The file of an export for programs."""
