"""What coupons took off invoices."""

from django.db import models

from config.kernel import db
from customers.models import AppliedCoupon
from invoicing.models.invoices import Invoice


class InvoiceCoupon(db.Base):
    """What a coupon of the customer took off an invoice, before taxes, when it was issued. It stays as it is.

    ``base_amount`` is what it could be taken off, unrounded, in major units. ``trace`` is how: the coupon's terms at
    that moment, and the share of each line by its position, so that it can be computed again. Where the invoice was
    voided it was ``given_back_at`` that moment, and the coupon may be used again as if this had not been.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="coupons")
    applied_coupon = models.ForeignKey(AppliedCoupon, on_delete=models.PROTECT, related_name="uses")
    position = models.PositiveIntegerField()
    currency = db.CurrencyField()
    amount = db.money_field()
    base_amount = models.DecimalField(max_digits=40, decimal_places=15)
    trace = models.JSONField(default=dict)
    given_back_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "use of a coupon"
        verbose_name_plural = "uses of coupons"
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "applied_coupon"], name="invoicing_coupon_use"),
            models.UniqueConstraint(fields=["invoice", "position"], name="invoicing_coupon_position"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_coupon_amount"),
        ]

    def __str__(self) -> str:
        return str(self.amount)
