"""``/invoices/:lago_id/corrections``: saying what is right about an invoice, looking at what that makes, doing it.
An addition.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import correction_forms
from billing.api.correction_forms import CorrectionShape, InvoiceCorrectionRequest
from billing.services import invoice_corrections
from billing.services.invoice_corrections import Corrected
from config.platform.api import params, schema, views
from config.platform.api.pagination import paginated
from invoicing.domain import correction_effects
from invoicing.models import Correction, Invoice
from invoicing.queries import corrections as known
from invoicing.queries import invoices as known_invoices

ROOT = "correction"


class InvoiceCorrections(views.ApiView):
    """The corrections of an invoice."""

    resource = "invoice"

    @extend_schema(operation_id="findInvoiceCorrections", responses=schema.page("corrections", CorrectionShape))
    def get(self, request: Request, lago_id: str) -> Response:
        """List the corrections of an invoice, newest first."""
        rows = known.of_invoice(known_invoices.find(params.uuid(lago_id))).select_related("invoice")
        return paginated(request, rows, "corrections", lambda found: [_stored(row) for row in found])

    @extend_schema(
        operation_id="correctInvoice",
        request=schema.body(ROOT, InvoiceCorrectionRequest),
        responses=schema.answer(ROOT, CorrectionShape),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Correct an invoice by the fewest documents, or with ``preview`` show what that would be."""
        content = self.body(request, ROOT, InvoiceCorrectionRequest)
        invoice = known_invoices.find(params.uuid(lago_id))
        at, actor = self.at(), self.actor(request)
        asked = correction_forms.asked(content, invoice, at=at)
        if content.get("preview"):
            shown = invoice_corrections.preview(invoice_id=invoice.pk, asked=asked, actor=actor, at=at)
            return Response({ROOT: _previewed(shown, invoice, asked.reason)})
        done = invoice_corrections.correct(
            invoice_id=invoice.pk, asked=asked, fingerprint=content.get("fingerprint", ""), actor=actor, at=at
        )
        row = done.correction
        return Response({ROOT: _previewed(done, invoice, asked.reason) if row is None else _stored(row)})


class OneCorrection(views.ApiView):
    """One correction."""

    resource = "invoice"

    @extend_schema(operation_id="findCorrection", responses=schema.answer(ROOT, CorrectionShape))
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a correction."""
        return Response({ROOT: _stored(known.find(params.uuid(lago_id)))})


def _stored(row: Correction) -> dict[str, Any]:
    return _shown(
        lago_id=row.uuid,
        lago_invoice_id=row.invoice.uuid,
        reason=row.reason,
        made_by=row.made_by,
        currency=row.invoice.currency,
        fingerprint=row.fingerprint,
        plan=row.plan,
        effect=row.effect,
        created_at=row.created_at,
    )


def _previewed(shown: Corrected, invoice: Invoice, reason: str) -> dict[str, Any]:
    effect = correction_effects.told(shown.effect)
    for document in effect["documents"]:
        # Numbers and ids are given out when it is done.
        document["number"] = document["lago_id"] = None
    return _shown(
        lago_id=None,
        lago_invoice_id=invoice.uuid,
        reason=reason,
        made_by=None,
        currency=invoice.currency,
        fingerprint=shown.fingerprint,
        plan=list(shown.told),
        effect=effect,
        created_at=None,
    )


def _shown(**values: Any) -> dict[str, Any]:
    return dict(CorrectionShape(values).data)
