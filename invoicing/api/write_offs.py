"""Write-offs below ``/api/v1/invoices/:lago_id/write_off`` and ``/api/v1/write_offs``. An addition to the reference."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors, money
from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.serializers import Instant, MinorUnits, RequestSerializer, Text
from config.platform.api.views import ApiView
from invoicing.api.invoices import InvoiceView
from invoicing.models import WriteOff
from invoicing.queries import write_offs as known
from invoicing.queries.write_offs import WriteOffFilter
from invoicing.services import write_offs

STATUSES = ("standing", "undone")


class WriteOffRequest(RequestSerializer):
    """What is written off, gross: all that is due unless an amount is given."""

    reason = Text(required=True, max_length=1000)
    amount_cents = MinorUnits(required=False, allow_null=True)


class UndoRequest(RequestSerializer):
    """Why it is undone."""

    reason = Text(required=True, max_length=1000)


class WriteOffShape(serializers.Serializer):  # type: ignore[type-arg]
    """A write-off. It is undone whole, or not at all."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_invoice_id = serializers.UUIDField(source="invoice.uuid")
    invoice_number = serializers.CharField(source="invoice.number")
    external_customer_id = serializers.CharField(source="invoice.customer.external_id")
    status = serializers.SerializerMethodField()
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    reason = serializers.CharField()
    created_at = Instant()
    undone_at = serializers.SerializerMethodField()
    undone_reason = serializers.SerializerMethodField()

    def get_status(self, row: WriteOff) -> str:
        """Return whether it stands."""
        return STATUSES[0] if _reversal(row) is None else STATUSES[1]

    def get_undone_at(self, row: WriteOff) -> str | None:
        """Return when it was undone; null while it stands."""
        reversal = _reversal(row)
        return None if reversal is None else Instant().to_representation(reversal.created_at)

    def get_undone_reason(self, row: WriteOff) -> str | None:
        """Return why it was undone; null while it stands."""
        reversal = _reversal(row)
        return None if reversal is None else reversal.reason


class WriteOffInvoice(InvoiceView):
    """The verb write off."""

    @extend_schema(
        operation_id="writeOffInvoice",
        request=schema.body("write_off", WriteOffRequest),
        responses=schema.answer("write_off", WriteOffShape),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Write off what is due of an issued invoice, or an amount of it. An addition."""
        content = self.body(request, "write_off", WriteOffRequest)
        invoice = self.invoice(lago_id)
        cents = content.get("amount_cents")
        row = write_offs.write_off(
            invoice_id=invoice.pk,
            reason=content["reason"],
            amount=None if cents is None else money.from_minor(cents, invoice.currency),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({"write_off": _shown(known.find(row.uuid))})


class WriteOffs(ApiView):
    """All write-offs."""

    resource = "invoice"

    @extend_schema(
        operation_id="findAllWriteOffs",
        parameters=schema.filters("external_customer_id", "lago_invoice_id", "currency", "status"),
        responses=schema.page("write_offs", WriteOffShape),
    )
    def get(self, request: Request) -> Response:
        """List write-offs, newest first. An addition."""
        status = params.text(request, "status")
        if status is not None and status not in STATUSES:
            raise errors.Invalid("validation_errors", "", {"status": ["value_is_invalid"]})
        given = params.text(request, "lago_invoice_id")
        invoice_id = params.uuid(given) if given is not None else None
        if given is not None and invoice_id is None:
            raise errors.Invalid("validation_errors", "", {"lago_invoice_id": ["value_is_invalid"]})
        wanted = WriteOffFilter(
            external_customer_id=params.text(request, "external_customer_id") or "",
            invoice_id=invoice_id,
            currency=params.text(request, "currency") or "",
            stands=None if status is None else status == STATUSES[0],
        )
        rows = known.search(wanted)
        return paginated(request, rows, "write_offs", lambda found: [_shown(row) for row in found])


class OneWriteOff(ApiView):
    """One write-off."""

    resource = "invoice"

    @extend_schema(operation_id="findWriteOff", responses=schema.answer("write_off", WriteOffShape))
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a write-off. An addition."""
        return Response({"write_off": _shown(known.find(params.uuid(lago_id)))})


class UndoWriteOff(ApiView):
    """The verb undo."""

    resource = "invoice"

    @extend_schema(
        operation_id="undoWriteOff",
        request=schema.body("write_off", UndoRequest),
        responses=schema.answer("write_off", WriteOffShape),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Take a write-off back: the amount is owed again. An addition."""
        content = self.body(request, "write_off", UndoRequest)
        found = known.find(params.uuid(lago_id))
        write_offs.undo(write_off_id=found.pk, reason=content["reason"], actor=self.actor(request), at=self.at())
        return Response({"write_off": _shown(known.find(found.uuid))})


def _reversal(row: WriteOff) -> Any:
    return getattr(row, "reversal", None)


def _shown(row: WriteOff) -> dict[str, Any]:
    return dict(WriteOffShape(row).data)
