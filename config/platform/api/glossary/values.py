"""Which values a field can have where its shape alone does not tell: states, kinds and models. Owns the lists as the
description of the API names them; the models own what is stored, and a test compares the two.

A key is a field's name, or ``Component.name`` where the values are those of that component alone; both stand for the
requests of that name too.
"""

from __future__ import annotations

_INTERVALS = ("weekly", "monthly", "quarterly", "semiannual", "yearly")
_INVOICE = {
    "invoice_type": ("subscription", "advance_charges", "progressive_billing", "credit", "one_off"),
    "status": ("draft", "finalized", "voided", "closed", "open", "pending", "failed"),
    "payment_status": ("pending", "succeeded", "failed"),
}
_SUBSCRIPTION = ("pending", "active", "terminated", "canceled", "paused", "incomplete")
_FEE = ("pending", "succeeded", "failed", "refunded")
_STEPS = ("standard", "graduated", "volume")
_RUNNING = ("active", "terminated")

VALUES: dict[str, tuple[str, ...]] = {
    "aggregation_type": (
        "count_agg",
        "sum_agg",
        "max_agg",
        "unique_count_agg",
        "latest_agg",
        "weighted_sum_agg",
    ),
    "charge_model": (
        "standard",
        "graduated",
        "package",
        "volume",
        "percentage",
        "graduated_percentage",
        "dynamic",
    ),
    **{f"FixedCharge{part}.charge_model": _STEPS for part in ("", "Answer", "Change", "ChangePartial")},
    **{f"Plan{part}Answer.interval": _INTERVALS for part in ("", "Summary", "Version")},
    "MinimumCommitmentAnswer.interval": _INTERVALS,
    "RuleShape.interval": _INTERVALS,
    "RuleShape.status": _RUNNING,
    "coupon_type": ("fixed_amount", "percentage"),
    "frequency": ("once", "recurring", "forever"),
    "customer_type": ("company", "individual"),
    "AppliedCouponAnswer.status": _RUNNING,
    "ListedAppliedCoupon.status": _RUNNING,
    **{
        f"{part}.{name}": values
        for part in ("BareInvoice", "FullInvoice", "ListedInvoice", "InvoiceAsPreviewed")
        for name, values in _INVOICE.items()
    },
    "CreditedInvoice.payment_status": _INVOICE["payment_status"],
    "PaymentRequestShape.payment_status": _INVOICE["payment_status"],
    **{f"{part}.payment_status": _FEE for part in ("Fee", "EstimatedFee", "FeeAsPreviewed")},
    "CreditNoteShape.credit_status": ("available", "consumed", "voided"),
    "CreditNoteShape.refund_status": ("pending", "succeeded", "failed"),
    "CreditNoteShape.reason": (
        "duplicated_charge",
        "product_unsatisfactory",
        "order_change",
        "order_cancellation",
        "fraudulent_charge",
        "other",
    ),
    **{
        f"{part}.status": _SUBSCRIPTION
        for part in ("BareSubscription", "SubscriptionAnswer", "SubscriptionAsPreviewed")
    },
    "WalletShape.status": _RUNNING,
    "TransactionShape.status": ("pending", "settled", "failed"),
    "TransactionShape.transaction_status": ("purchased", "granted", "voided", "invoiced"),
    "TransactionShape.transaction_type": ("inbound", "outbound"),
}
