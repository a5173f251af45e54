"""Invoice lines, the API's fees, with the taxes on each."""

from decimal import Decimal

from django.db import models
from moneyed import Money

from catalog.models import Tax
from config.kernel import db
from customers.models import BillingEntity, Customer
from invoicing.models.invoices import Invoice


class InvoiceLine(db.Base):
    """One amount that a customer owes, rounded once; ``precise_amount`` is the same before rounding, in major units.

    ``group_key`` gathers the lines of one contract on the document under ``group_label``. ``amount_details`` is the
    tier breakdown as the API gives it. ``from_at`` and ``to_at`` are the half-open service period.

    ``plan_code`` is the plan of the contract that the line bills, empty where it bills none. ``item_uuid`` is the
    public id of what was sold, where nothing else points at it: an add-on.

    ``total_units`` is the level that was counted where ``units`` is another figure (what was held over time, what an
    event added). ``pricing_unit`` holds the price in the seller's own unit: code, short name, amount and unit amount in
    it as decimals in strings, and the conversion rate. ``breakdowns`` are the units by properties that only inform.

    ``progressive_credit_amount`` is what of its amount earlier progressive invoices billed: taxed is the rest, the
    ``net_amount``. ``precise_coupons_amount`` is its share of the invoice's coupons, in major units: it lowers
    what is taxed once more.

    ``tax_basis`` says whose taxes it has. Where the agreed price is gross it is the ``tax_inclusive_amount``, and the
    amount what is left of it without tax.

    A line without an invoice stands alone, with a payment status of its own; that of others is their invoice's. It is
    frozen when it is made. ``event_transaction_id`` is that of the one event that it bills. One that was taken back
    (``deleted_at``) stays for the books, and nobody is shown it.
    """

    class Kind(models.TextChoices):
        SUBSCRIPTION = "subscription", "subscription"
        CHARGE = "charge", "usage"
        FIXED_CHARGE = "fixed_charge", "fixed charge"
        COMMITMENT = "commitment", "commitment"
        CREDIT = "credit", "prepaid credit"
        ADD_ON = "add_on", "add-on"

    class TaxBasis(models.TextChoices):
        NONE = "", "no tax"
        PRICE = "price", "taxes of the price"
        CUSTOMER = "customer", "taxes of the customer"
        SELLER = "seller", "taxes of the billing entity"
        EXEMPT = "exempt", "the customer is exempt"
        ENGINE = "engine", "told by a tax engine"

    class PaymentStatus(models.TextChoices):
        NONE = "", "that of the invoice"
        PENDING = "pending", "pending"
        SUCCEEDED = "succeeded", "paid"
        FAILED = "failed", "failed"
        REFUNDED = "refunded", "refunded"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="lines")
    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32, choices=Kind.choices)
    position = models.PositiveIntegerField()
    group_key = models.CharField(max_length=255, blank=True, default="")
    group_label = models.CharField(max_length=255, blank=True, default="")
    item_code = models.CharField(max_length=255)
    item_name = models.CharField(max_length=255)
    item_uuid = models.UUIDField(null=True, editable=False)
    plan_code = models.CharField(max_length=255, blank=True, default="", editable=False)
    label = models.CharField(max_length=512)
    description = models.TextField(blank=True, default="")
    charge_model = models.CharField(max_length=32, blank=True, default="")
    units = models.DecimalField(max_digits=40, decimal_places=15)
    events_count = models.PositiveBigIntegerField(null=True)
    unit_amount = models.DecimalField(max_digits=40, decimal_places=15)
    precise_amount = models.DecimalField(max_digits=40, decimal_places=15)
    currency = db.CurrencyField()
    amount = db.money_field("net")
    progressive_credit_amount = db.money_field("billed progressively", default=Decimal)
    precise_coupons_amount = models.DecimalField(max_digits=40, decimal_places=15, default=Decimal)
    taxes_amount = db.money_field("tax")
    precise_taxes_amount = models.DecimalField(max_digits=40, decimal_places=15)
    taxes_rate = models.DecimalField(max_digits=12, decimal_places=8)
    tax_basis = models.CharField(max_length=16, choices=TaxBasis.choices, blank=True, default=TaxBasis.NONE)
    tax_inclusive_amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    amount_details = models.JSONField(default=dict)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    total_units = models.DecimalField(max_digits=40, decimal_places=15, null=True)
    pricing_unit = models.JSONField(null=True)
    breakdowns = models.JSONField(default=list)
    payment_status = models.CharField(
        max_length=16, choices=PaymentStatus.choices, blank=True, default=PaymentStatus.NONE
    )
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    refunded_at = models.DateTimeField(null=True)
    event_transaction_id = models.TextField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "invoice line"
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoicing_line_position"),
            models.CheckConstraint(condition=models.Q(from_at__lte=models.F("to_at")), name="invoicing_line_period"),
            models.CheckConstraint(
                condition=models.Q(progressive_credit_amount=0)
                | models.Q(progressive_credit_amount__gt=0, progressive_credit_amount__lte=models.F("amount")),
                name="invoicing_line_progressive",
            ),
            models.CheckConstraint(
                condition=models.Q(precise_coupons_amount=0)
                | models.Q(
                    precise_coupons_amount__gt=0,
                    precise_coupons_amount__lte=models.F("amount") - models.F("progressive_credit_amount"),
                ),
                name="invoicing_line_coupons",
            ),
            models.CheckConstraint(
                condition=models.Q(invoice__isnull=False) | ~models.Q(payment_status=""),
                name="invoicing_line_standalone_status",
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at__isnull=True) | models.Q(invoice__isnull=True),
                name="invoicing_line_standalone_deleted",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"],
                include=("invoice", "kind", "item_code", "currency", "payment_status"),
                condition=models.Q(deleted_at__isnull=True),
                name="invoicing_line_listed",
            ),
            models.Index(
                fields=["failed_at"], condition=models.Q(failed_at__isnull=False), name="invoicing_line_failed"
            ),
            models.Index(
                fields=["refunded_at"], condition=models.Q(refunded_at__isnull=False), name="invoicing_line_refunded"
            ),
            models.Index(
                fields=["succeeded_at"], condition=models.Q(succeeded_at__isnull=False), name="invoicing_line_succeeded"
            ),
            models.Index(fields=["group_key", "created_at"], name="invoicing_line_group"),
            models.Index(
                fields=["event_transaction_id"],
                condition=models.Q(event_transaction_id__isnull=False),
                name="invoicing_line_event",
            ),
            models.Index(
                fields=["payment_status", "succeeded_at"],
                condition=models.Q(invoice__isnull=True, deleted_at__isnull=True),
                name="invoicing_line_standalone",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def agreed_amount(self) -> Money:
        """What was agreed on for it: the gross price where that includes its taxes, else the net amount."""
        gross = self.tax_inclusive_amount
        return self.amount if gross is None else Money(gross, self.currency)

    @property
    def net_amount(self) -> Money:
        """What of the amount is billed by this line: without what was billed progressively before."""
        credited = self.progressive_credit_amount
        return self.amount - credited if credited else self.amount

    @property
    def lowered_amount(self) -> Money:
        """What of the amount is taxed, unrounded: the net amount without its share of coupons."""
        net = self.net_amount
        return net - Money(self.precise_coupons_amount, self.currency) if self.precise_coupons_amount else net


class LinePayment(db.Base):
    """A change of the payment status of a line that stands alone: what the books are written from. Append-only."""

    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="payments")
    status = models.CharField(max_length=16, choices=InvoiceLine.PaymentStatus.choices)

    class Meta:
        verbose_name = "payment status of a line"
        verbose_name_plural = "payment statuses of lines"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_status_display()


class LineTax(db.Base):
    """One tax on one line. Name and rate are those of the moment; ``rate`` is a fraction."""

    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="applied_taxes")
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT, related_name="+")
    tax_code = models.CharField(max_length=255)
    tax_name = models.CharField(max_length=255)
    tax_description = models.TextField(blank=True, default="")
    rate = models.DecimalField(max_digits=12, decimal_places=8)
    currency = db.CurrencyField()
    amount = db.money_field()
    precise_amount = models.DecimalField(max_digits=40, decimal_places=15)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["line", "tax"], name="invoicing_line_tax")]

    def __str__(self) -> str:
        return self.tax_name
