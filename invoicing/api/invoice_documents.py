"""``/invoices/:id/documents``: the stored files of an invoice, the annex of a long one among them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import schema
from config.platform.api.serializers import Instant
from invoicing.api import files
from invoicing.api.invoices import InvoiceView
from invoicing.models import Document


class InvoiceDocument(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A stored file: ``pdf``, or ``annex_csv`` with every line of an invoice whose PDF shows sums."""

    lago_id = serializers.UUIDField(source="uuid")
    file_url = serializers.SerializerMethodField()
    created_at = Instant()

    class Meta:
        model = Document
        fields = ("lago_id", "kind", "file_url", "sha256", "size", "created_at")

    def get_file_url(self, document: Document) -> str:
        """Return a link to the file that works for a day."""
        return files.link(self.context["request"], document)


class InvoiceDocuments(InvoiceView):
    """The files of one invoice."""

    @extend_schema(
        operation_id="findInvoiceDocuments",
        responses=schema.page("documents", InvoiceDocument, meta=False),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """List what is stored, the PDF first; nothing before the PDF was made."""
        rows = Document.objects.filter(invoice=self.invoice(lago_id)).order_by("pk")
        return Response({"documents": InvoiceDocument(rows, many=True, context={"request": request}).data})
