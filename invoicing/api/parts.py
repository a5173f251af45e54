"""What this app shows on behalf of upper apps: the shape of a fee, which they give to what is not billed yet; and what
it adds to coupons of customers: the invoices that used them."""

from __future__ import annotations

from config.kernel import registry
from config.platform.api import representations
from invoicing.api.coupon_shapes import credits_of
from invoicing.api.fee_shapes import Fee
from invoicing.api.preview_shapes import DESCRIBED, InvoicePreview

representations.register("invoicing.fee", Fee)
representations.register("invoicing.previewed_invoice", InvoicePreview)
representations.register("invoicing.previewed_invoice.described", DESCRIBED)
registry.register_part("customers.applied_coupon", credits_of)
