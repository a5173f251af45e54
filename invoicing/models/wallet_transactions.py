"""What goes in and out of wallets, and which credits paid for what. No workflow."""

from decimal import Decimal

from django.db import models

from config.kernel import db
from invoicing.models.credit_notes import CreditNote
from invoicing.models.invoices import Invoice
from invoicing.models.wallets import CREDIT_DIGITS, CREDIT_PLACES, RecurringTransactionRule, Wallet


class WalletTransaction(db.Base):
    """Credits that go into a wallet (bought or given) or out of it (voided, or paid an invoice with).

    What is bought is pending until its invoice is paid. ``invoice`` is that one, or the one that the credits paid;
    ``voided_invoice`` is the one whose credits came back with it, ``voided_transaction`` the one whose credits it took.
    Of what came in the ``remaining_…`` is not used yet. ``purchased_amount`` is the part of ``amount`` that customers
    paid money for: it is owed to them until it is used. The rest was given. ``rule_day`` is the local day on which an
    interval rule asked for it.
    """

    class Type(models.TextChoices):
        INBOUND = "inbound", "in"
        OUTBOUND = "outbound", "out"

    class Kind(models.TextChoices):
        PURCHASED = "purchased", "purchased"
        GRANTED = "granted", "granted"
        VOIDED = "voided", "voided"
        INVOICED = "invoiced", "invoiced"

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        SETTLED = "settled", "settled"
        FAILED = "failed", "failed"

    class Source(models.TextChoices):
        MANUAL = "manual", "by hand"
        INTERVAL = "interval", "interval"
        THRESHOLD = "threshold", "threshold"

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="transactions")
    transaction_type = models.CharField(max_length=16, choices=Type.choices)
    transaction_status = models.CharField(max_length=16, choices=Kind.choices)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.MANUAL)
    currency = db.CurrencyField()
    credit_amount = models.DecimalField("credits", max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES)
    amount = db.money_field()
    purchased_amount = db.money_field("of it paid for", default=Decimal)
    remaining_credit_amount = models.DecimalField(
        "remaining credits", max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, default=Decimal
    )
    remaining_amount = db.money_field("remaining", default=Decimal)
    remaining_purchased_amount = db.money_field("remaining of what was paid for", default=Decimal)
    priority = models.PositiveSmallIntegerField(default=50)
    name = models.CharField(max_length=255, blank=True, default="")
    metadata = models.JSONField(default=list, blank=True)
    purchase_order_number = models.CharField(max_length=255, blank=True, default="")
    invoice_requires_successful_payment = models.BooleanField(default=False)
    custom_section_ids = models.JSONField(null=True, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="wallet_transactions")
    voided_invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, related_name="returned_wallet_transactions"
    )
    voided_transaction = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="voiding_transactions"
    )
    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, null=True, related_name="wallet_transactions")
    rule = models.ForeignKey(RecurringTransactionRule, on_delete=models.PROTECT, null=True, related_name="transactions")
    rule_day = models.DateField(null=True, editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "wallet transaction"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(transaction_type="inbound", transaction_status__in=["purchased", "granted"])
                | models.Q(
                    transaction_type="outbound", transaction_status__in=["voided", "invoiced"], status="settled"
                ),
                name="invoicing_wallettx_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(credit_amount__gte=0, amount__gte=0)
                & (models.Q(credit_amount__gt=0) | models.Q(amount__gt=0)),
                name="invoicing_wallettx_amount",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    purchased_amount__gte=0,
                    purchased_amount__lte=models.F("amount"),
                    remaining_credit_amount__gte=0,
                    remaining_credit_amount__lte=models.F("credit_amount"),
                    remaining_amount__gte=0,
                    remaining_amount__lte=models.F("amount"),
                    remaining_purchased_amount__gte=0,
                    remaining_purchased_amount__lte=models.F("remaining_amount"),
                ),
                name="invoicing_wallettx_remaining",
            ),
            models.CheckConstraint(
                condition=models.Q(transaction_type="inbound", status="settled")
                | models.Q(remaining_credit_amount=0, remaining_amount=0),
                name="invoicing_wallettx_nothing_remains",
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", settled_at__isnull=True, failed_at__isnull=True)
                | models.Q(status="settled", settled_at__isnull=False, failed_at__isnull=True)
                | models.Q(status="failed", settled_at__isnull=True, failed_at__isnull=False),
                name="invoicing_wallettx_status",
            ),
            models.CheckConstraint(
                condition=~models.Q(transaction_status="purchased") | models.Q(purchased_amount=models.F("amount")),
                name="invoicing_wallettx_purchased",
            ),
            models.CheckConstraint(
                condition=~models.Q(transaction_status="invoiced") | models.Q(invoice__isnull=False),
                name="invoicing_wallettx_invoiced",
            ),
            models.UniqueConstraint(
                fields=["wallet", "invoice"],
                condition=models.Q(transaction_status="invoiced"),
                name="invoicing_wallettx_one_draw",
            ),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=models.Q(transaction_status="purchased"),
                name="invoicing_wallettx_one_purchase",
            ),
            models.UniqueConstraint(
                fields=["rule", "rule_day", "transaction_status"],
                condition=models.Q(source="interval"),
                name="invoicing_wallettx_rule_day",
            ),
        ]
        indexes = [
            models.Index(fields=["wallet", "-created_at", "-id"], name="invoicing_wallettx_recent"),
            models.Index(
                fields=["wallet", "priority", "created_at"],
                condition=models.Q(remaining_credit_amount__gt=0),
                name="invoicing_wallettx_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_transaction_status_display()} {self.amount}"


class WalletConsumption(db.Base):
    """The part of credits that came in with one transaction and went out with another. Append-only."""

    inbound = models.ForeignKey(WalletTransaction, on_delete=models.PROTECT, related_name="consumptions")
    outbound = models.ForeignKey(WalletTransaction, on_delete=models.PROTECT, related_name="fundings")
    currency = db.CurrencyField()
    credit_amount = models.DecimalField("credits", max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES)
    amount = db.money_field()
    purchased_amount = db.money_field("of it paid for", default=Decimal)

    class Meta:
        verbose_name = "consumption of credits"
        verbose_name_plural = "consumptions of credits"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["inbound", "outbound"], name="invoicing_consumption_pair"),
            models.CheckConstraint(
                condition=models.Q(
                    credit_amount__gte=0,
                    amount__gte=0,
                    purchased_amount__gte=0,
                    purchased_amount__lte=models.F("amount"),
                ),
                name="invoicing_consumption_amounts",
            ),
        ]

    def __str__(self) -> str:
        return str(self.amount)
