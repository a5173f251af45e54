"""The shape of an invoice that is only previewed: like a draft's, without ids of rows that are there no more
(the nil UUID stands for those that clients need).

Billing shows it by the name "invoicing.previewed_invoice" while the rows are there.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.kernel import registry
from config.platform.api import representations, schema
from config.platform.api.serializers import Constant
from invoicing.api import coupon_shapes, fee_shapes, invoice_shapes
from invoicing.api.invoice_shapes import InvoiceDetails
from invoicing.domain import numbering
from invoicing.models import Invoice
from invoicing.queries import invoices as known_invoices

NO_ID = "00000000-0000-0000-0000-000000000000"
"""What stands for the id of what is not made where clients need one: RFC 9562's nil UUID names nothing."""

_MADE = ("applied_taxes", "fees", "credits", "metadata")
_PREVIEWED = "preview-"


class InvoicePreview(InvoiceDetails):
    """An invoice that is not made. What belongs to the preview alone has no id; ``status`` is that of a draft."""

    file_url = Constant(None)
    web_url = Constant(None)
    customer = representations.serializer("customers.customer")()
    fees = fee_shapes.Fee(many=True)

    def to_representation(self, instance: Invoice) -> dict[str, Any]:
        """Return the shape, with everything that a document of it would say."""
        invoice = known_invoices.with_everything(Invoice.objects.filter(pk=instance.pk)).get()
        lines = list(invoice.lines.all())
        for line in lines:
            line.invoice, line.customer = invoice, invoice.customer
        content: dict[str, Any] = {
            name: field.to_representation(field.get_attribute(invoice))
            if (field.get_attribute(invoice) is not None)
            else None
            for name, field in self.fields.items()
            if name not in ("customer", "fees")
        }
        content |= {
            "customer": representations.one("customers.customer", invoice.customer),
            "fees": fee_shapes.fees(lines),
            **registry.parts("invoicing.invoice", [invoice])[invoice.pk],
        }
        content |= {
            "lago_id": NO_ID,
            "sequential_id": None,
            "number": numbering.draft(invoice.billing_entity.document_number_prefix),
            "status": Invoice.Status.DRAFT.value,
            "payment_status": Invoice.PaymentStatus.PENDING.value,
        }
        for name in _MADE:
            content[name] = [_without_ids(row) for row in content[name]]
        content["customer"] = _unnamed(content["customer"])
        content["subscriptions"] = [_unnamed(row) for row in content["subscriptions"]]
        content["billing_periods"] = [_period(row) for row in content["billing_periods"]]
        return content


@extend_schema_field(
    schema.either(
        "CreditAsPreviewed",
        *(
            schema.without(form, f"{form.__name__}AsPreviewed", "lago_id")
            for form in (invoice_shapes.ProgressiveCreditShape, coupon_shapes.CouponCredit, invoice_shapes.CreditShape)
        ),
    )
)
class _AnyCredit(serializers.Field):  # type: ignore[type-arg]
    """One of what would lower the invoice."""


_FEE_TAX = schema.without(fee_shapes.FeeTax, "FeeTaxAsPreviewed", "lago_id", "lago_fee_id")
_FEE = schema.without(
    fee_shapes.Fee, "FeeAsPreviewed", "lago_id", "lago_customer_id", "external_customer_id", applied_taxes=_FEE_TAX
)
DESCRIBED = schema.without(
    InvoicePreview,
    "InvoiceAsPreviewed",
    "lago_id",
    fees=_FEE,
    credits=serializers.ListField(child=_AnyCredit()),
    customer=schema.without(
        representations.serializer("customers.customer"), "CustomerAsPreviewed", "lago_id", "external_id"
    )(),
    subscriptions=Constant([], filled="billing.previewed_subscription"),
    applied_taxes=schema.without(invoice_shapes.InvoiceTaxShape, "InvoiceTaxAsPreviewed", "lago_id", "lago_invoice_id"),
)
"""How it is described: what is not made has no ids."""


def _without_ids(row: dict[str, Any]) -> dict[str, Any]:
    """Take the ids of what is made off a part: its own, and those of its invoice and fee."""
    found = {
        name: None if name in ("lago_id", "lago_invoice_id", "lago_fee_id", "lago_true_up_fee_id") else value
        for name, value in row.items()
    }
    if str(found.get("external_subscription_id") or "").startswith(_PREVIEWED):
        found |= {"external_subscription_id": None, "lago_subscription_id": None}
    if str(found.get("external_customer_id") or "").startswith(_PREVIEWED):
        found |= {"external_customer_id": None, "lago_customer_id": None}
    if "applied_taxes" in found:
        found["applied_taxes"] = [_without_ids(tax) for tax in found["applied_taxes"]]
    return found


def _unnamed(row: dict[str, Any]) -> dict[str, Any]:
    found = dict(row)
    if str(found.get("external_id") or "").startswith(_PREVIEWED):
        found |= {"external_id": "", "lago_id": NO_ID}
    if str(found.get("external_customer_id") or "").startswith(_PREVIEWED):
        found |= {"external_customer_id": "", "lago_customer_id": NO_ID}
    return found


def _period(row: dict[str, Any]) -> dict[str, Any]:
    is_new = str(row.get("external_subscription_id") or "").startswith(_PREVIEWED)
    return {**row, "external_subscription_id": "", "lago_subscription_id": NO_ID} if is_new else dict(row)
