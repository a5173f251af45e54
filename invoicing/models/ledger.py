"""The ledger: append-only double entry. Each entry sums to zero per currency; balances are sums."""

from django.db import models

from config.kernel import db
from customers.models import BillingEntity, Customer


class LedgerAccount(db.Base):
    """An account of a billing entity. ``role`` says which postings go there; code and name are the entity's own."""

    class Role(models.TextChoices):
        RECEIVABLE = "receivable", "receivable"
        REVENUE = "revenue", "revenue"
        TAX = "tax", "tax payable"
        CASH = "cash", "cash"
        CUSTOMER_CREDIT = "customer_credit", "customer credit"
        REFUNDS = "refunds", "refunds to pay"
        PREPAID = "prepaid", "prepaid by customers"

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="ledger_accounts")
    role = models.CharField(max_length=32, choices=Role.choices)
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=255)

    class Meta:
        verbose_name = "ledger account"
        ordering = ["billing_entity", "code"]
        constraints = [
            models.UniqueConstraint(fields=["billing_entity", "role"], name="invoicing_account_role"),
            models.UniqueConstraint(fields=["billing_entity", "code"], name="invoicing_account_code"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class LedgerEntry(db.Base):
    """One booking with its source: "invoicing.invoice" and its id, say. The same fact of a source is booked once."""

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="ledger_entries")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="ledger_entries")
    fact = models.CharField(max_length=64)
    source_type = models.CharField(max_length=64)
    source_id = models.BigIntegerField()
    booked_at = models.DateTimeField()
    accounting_date = models.DateField()
    description = models.CharField(max_length=255)

    class Meta:
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        ordering = ["-booked_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["fact", "source_type", "source_id"], name="invoicing_entry_once"),
        ]
        indexes = [
            models.Index(fields=["source_type", "source_id"], name="invoicing_entry_source"),
            models.Index(fields=["-booked_at", "-id"], name="invoicing_entry_recent"),
        ]

    def __str__(self) -> str:
        return self.description


class LedgerPosting(db.Base):
    """One side of an entry: a debit is positive, a credit negative."""

    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="postings")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="postings")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        verbose_name = "ledger posting"
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~models.Q(amount=0), name="invoicing_posting_not_zero")]

    def __str__(self) -> str:
        return str(self.amount)
