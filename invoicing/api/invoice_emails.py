"""``/invoices/:id/resend_email``: an issued invoice is e-mailed once more."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api.email_requests import EmailRequest
from invoicing.api.invoices import InvoiceView
from invoicing.services import dispatch


class ResendInvoice(InvoiceView):
    """The verb send again."""

    @extend_schema(operation_id="resendInvoiceEmail", request=EmailRequest, responses={200: None})
    def post(self, request: Request, lago_id: str) -> Response:
        """E-mail an issued invoice with its PDF: to the addresses given, else to the customer's."""
        invoice = self.invoice(lago_id)
        content = self.checked(request.data or {}, EmailRequest)
        dispatch.send_again(
            invoice_id=invoice.pk,
            to=content.get("to") or (),
            cc=content.get("cc") or (),
            bcc=content.get("bcc") or (),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response(status=200)
