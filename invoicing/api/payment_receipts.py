"""Receipts below ``/api/v1/payment_receipts``: list, one, and the verb send again."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.views import ApiView
from invoicing.api import payment_shapes
from invoicing.api.email_requests import EmailRequest
from invoicing.queries import payment_receipts as known
from invoicing.services import payment_receipts, receipt_documents


class PaymentReceipts(ApiView):
    """All receipts."""

    resource = "payment_receipt"

    @extend_schema(
        operation_id="findAllPaymentReceipts",
        parameters=schema.filters("invoice_id"),
        responses=schema.page("payment_receipts", payment_shapes.ReceiptShape),
    )
    def get(self, request: Request) -> Response:
        """List receipts, newest first."""
        invoice = params.text(request, "invoice_id")
        rows = known.search(invoice_uuid=params.uuid(invoice) if invoice else None)
        if invoice and params.uuid(invoice) is None:
            rows = rows.none()
        return paginated(request, rows, "payment_receipts", lambda found: payment_shapes.receipts(found, request))


class OnePaymentReceipt(ApiView):
    """One receipt."""

    resource = "payment_receipt"

    @extend_schema(
        operation_id="findPaymentReceipt",
        responses=schema.answer("payment_receipt", payment_shapes.ReceiptShape),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a receipt. Its document is made when it is asked for: until then ``file_url`` is null."""
        receipt = known.find(params.uuid(lago_id))
        receipt_documents.have_made(receipt=receipt)
        return Response({"payment_receipt": payment_shapes.receipts([receipt], request)[0]})


class ResendReceipt(ApiView):
    """The verb send again."""

    resource = "payment_receipt"

    @extend_schema(operation_id="resendPaymentReceiptEmail", request=EmailRequest, responses={200: None})
    def post(self, request: Request, lago_id: str) -> Response:
        """E-mail a receipt with its PDF: to the addresses given, else to the customer's."""
        receipt = known.find(params.uuid(lago_id))
        content = self.checked(request.data or {}, EmailRequest)
        payment_receipts.send_again(
            receipt_id=receipt.pk,
            to=content.get("to") or (),
            cc=content.get("cc") or (),
            bcc=content.get("bcc") or (),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response(status=200)
