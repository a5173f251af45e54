"""``/invoices/:id/retry`` and ``/tax_engines``: taxes that somebody else works out."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import schema
from config.platform.api.pagination import paginated
from config.platform.api.serializers import Flag, Instant, RequestSerializer, Text
from config.platform.api.views import ApiView
from invoicing.api import invoice_shapes
from invoicing.api.invoices import InvoiceView
from invoicing.models import TaxEngine
from invoicing.services import tax_calculations, tax_engines

ROOT = "tax_engine"


class RetryInvoice(InvoiceView):
    """The verb retry."""

    @extend_schema(
        operation_id="retryInvoice",
        request=None,
        responses=schema.answer("invoice", invoice_shapes.FullInvoice),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Ask for the taxes of a failed invoice again. Refused with 405 for any other."""
        invoice = self.invoice(lago_id)
        tax_calculations.retry(invoice_id=invoice.pk, actor=self.actor(request), at=self.at())
        return self.shown(request, invoice.pk)


class TaxEngineRequest(RequestSerializer):
    """A tax engine as it comes in; the token is written and never shown."""

    billing_entity_code = Text(required=True)
    code = Text(required=True, max_length=100)
    url = Text(required=True, max_length=200)
    token = Text(max_length=512)
    is_active = Flag()


class TaxEngineAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A tax engine."""

    lago_id = serializers.UUIDField(source="uuid")
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    code = serializers.CharField()
    kind = serializers.CharField()
    url = serializers.CharField()
    is_active = serializers.BooleanField()
    created_at = Instant()
    updated_at = Instant()


class TaxEngines(ApiView):
    """All tax engines."""

    resource = "tax_engine"

    @extend_schema(responses=schema.page("tax_engines", TaxEngineAnswer))
    def get(self, request: Request) -> Response:
        """List the tax engines."""
        rows = TaxEngine.objects.select_related("billing_entity").order_by("pk")
        return paginated(request, rows, "tax_engines", lambda found: TaxEngineAnswer(found, many=True).data)

    @extend_schema(request=schema.body(ROOT, TaxEngineRequest), responses=schema.answer(ROOT, TaxEngineAnswer))
    def post(self, request: Request) -> Response:
        """Give a billing entity a tax engine."""
        values = self.body(request, ROOT, TaxEngineRequest)
        made = tax_engines.create(values=values, actor=self.actor(request), at=self.at())
        return Response({ROOT: TaxEngineAnswer(made).data})


class OneTaxEngine(ApiView):
    """One tax engine, by its code."""

    resource = "tax_engine"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, TaxEngineAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a tax engine."""
        return Response({ROOT: TaxEngineAnswer(tax_engines.by_code(code=code)).data})

    @extend_schema(request=schema.changes(ROOT, TaxEngineRequest), responses=schema.answer(ROOT, TaxEngineAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change a tax engine, or switch it off."""
        content = self.root(request, ROOT)
        tax_engines.by_code(code=code)
        values = self.checked(content, TaxEngineRequest, partial=True)
        changed = tax_engines.update(code=code, values=values, actor=self.actor(request), at=self.at())
        return Response({ROOT: TaxEngineAnswer(changed).data})
