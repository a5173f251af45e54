"""Statements of customers: as JSON, and as CSV or PDF to be sent to them. Additions to the API, only to be read."""

from __future__ import annotations

from datetime import UTC

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import params, schema
from config.platform.api.views import ApiView
from customers.queries import customers
from invoicing.api import ledger, ledger_shapes
from invoicing.queries import customer_statements
from invoicing.services import statement_files

_FILTERS = ("billing_entity_code", "currency", "from_date", "to_date", "known_on")


class StatementsShape(serializers.Serializer):  # type: ignore[type-arg]
    """A customer's accounts."""

    external_customer_id = serializers.CharField()
    accounts = ledger_shapes.CustomerStatementShape(many=True)


def found(request: Request, external_id: str, view: ApiView) -> list[customer_statements.CustomerStatement]:
    """Return the accounts that a request asks for, up to today (UTC) unless said otherwise."""
    at = view.at()
    since, until = ledger.days(request)
    return customer_statements.statements(
        customer=customers.by_external_id(external_id=external_id),
        since=since,
        until=until or at.astimezone(UTC).date(),
        billing_entity_id=ledger.seller(request).pk if params.text(request, "billing_entity_code") else None,
        currency=ledger.currency(request),
        known_on=ledger.known_on(request, at=at),
    )


class CustomerStatementView(ApiView):
    """What a customer owes."""

    resource = "ledger"

    @extend_schema(
        operation_id="findCustomerStatement",
        parameters=schema.filters(*_FILTERS, paged=False),
        responses=schema.answer("statement", StatementsShape),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return movements and open items for each billing entity and currency."""
        accounts = found(request, external_id, self)
        content = {"external_customer_id": external_id, "accounts": accounts}
        return Response({"statement": StatementsShape(content).data})


class CustomerStatementFile(ApiView):
    """The same as a file."""

    resource = "ledger"

    @extend_schema(
        operation_id="downloadCustomerStatement",
        parameters=schema.filters(*_FILTERS, paged=False),
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, (200, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, external_id: str, kind: str) -> HttpResponse:
        """Send the statement as CSV or PDF."""
        accounts = found(request, external_id, self)
        write = statement_files.as_pdf if kind == "pdf" else statement_files.as_csv
        content_type = "application/pdf" if kind == "pdf" else "text/csv; charset=utf-8"
        response = HttpResponse(write(statements=accounts), content_type=content_type)
        response["Content-Disposition"] = f'attachment; filename="statement.{kind}"'
        response["Cache-Control"] = "private, no-store"
        return response


@extend_schema_view(get=extend_schema(operation_id="downloadCustomerStatementPdf"))
class CustomerStatementPdf(CustomerStatementFile):
    """The same as a document."""
