"""The ledger: append-only double entry. Each entry sums to zero per currency; balances are sums."""

from django.db import models

from config.kernel import db
from customers.models import BillingEntity, Customer
from invoicing.models.invoices import Invoice


class LedgerAccount(db.Base):
    """An account of a billing entity; code and name are the entity's own.

    ``role`` says which postings may go there; one without a role takes manual entries alone. A new role needs a member
    here and an account in the chart of `invoicing.domain.accounts`, and no migration. What is posted keeps its
    account, so type and role of one that is in use stay as they are.
    """

    class Role(models.TextChoices):
        RECEIVABLE = "receivable", "receivable"
        REVENUE = "revenue", "revenue"
        TAX = "tax", "tax payable"
        CASH = "cash", "cash"
        CUSTOMER_CREDIT = "customer_credit", "customer credit"
        REFUNDS = "refunds", "refunds to pay"
        PREPAID = "prepaid", "prepaid by customers"
        PROMOTION = "promotion", "given credits used"
        DISPUTED = "disputed", "receivable in dispute"
        WRITE_OFF = "write_off", "written off"

    class Type(models.TextChoices):
        ASSET = "asset", "asset"
        LIABILITY = "liability", "liability"
        REVENUE = "revenue", "revenue"
        CONTRA_REVENUE = "contra_revenue", "contra revenue"
        EXPENSE = "expense", "expense"

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="ledger_accounts")
    role = models.CharField(max_length=32, blank=True, default="")
    type = models.CharField(max_length=16, choices=Type.choices, default=Type.ASSET)
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=255)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        verbose_name = "ledger account"
        ordering = ["billing_entity", "code"]
        constraints = [models.UniqueConstraint(fields=["billing_entity", "code"], name="invoicing_account_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def role_name(self) -> str:
        """What the role is called; nothing without one."""
        return self.Role(self.role).label if self.role else ""


class LedgerMapping(db.Base):
    """The account of a role's postings: of all of them, or of those with the dimensions that are not empty.

    Of those that fit a posting the most specific one wins, see `invoicing.domain.accounts`.
    """

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="ledger_mappings")
    role = models.CharField(max_length=32)
    item_code = models.CharField(max_length=255, blank=True, default="")
    tax_code = models.CharField(max_length=255, blank=True, default="")
    plan_code = models.CharField(max_length=255, blank=True, default="")
    payment_kind = models.CharField(max_length=16, blank=True, default="")
    line_kind = models.CharField(max_length=32, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="mappings")

    class Meta:
        verbose_name = "account mapping"
        ordering = ["billing_entity", "role", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("billing_entity", "role", "item_code", "tax_code"),
                    *("plan_code", "payment_kind", "line_kind", "currency"),
                ],
                name="invoicing_mapping_once",
            )
        ]

    def __str__(self) -> str:
        narrowed = [self.item_code, self.tax_code, self.plan_code, self.payment_kind, self.line_kind, self.currency]
        named = ", ".join(one for one in narrowed if one)
        return f"{LedgerAccount.Role(self.role).label}: {named or 'all'}"


class LedgerEntry(db.Base):
    """One booking with its source: "invoicing.invoice" and its id, say. The same fact of a source is booked once.

    ``accounting_date`` is the day of the books, ``booked_at`` the moment from which on the books know of it. The order
    of the ids is that of booking; transactions may end in another one, see `invoicing.services.journal_exports`.
    """

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="ledger_entries")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="ledger_entries")
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
            models.Index(fields=["billing_entity", "accounting_date", "id"], name="invoicing_entry_day"),
        ]

    def __str__(self) -> str:
        return self.description


class LedgerPosting(db.Base):
    """One side of an entry: a debit is positive, a credit negative.

    ``invoice`` is the open item of a posting on what customers owe.
    """

    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="postings")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="postings")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="postings")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        verbose_name = "ledger posting"
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~models.Q(amount=0), name="invoicing_posting_not_zero")]

    def __str__(self) -> str:
        return str(self.amount)


class ManualEntry(db.Base):
    """Why a person booked something by hand. ``reverses`` is the one that it takes back; each is taken back once."""

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="manual_entries")
    reason = models.TextField()
    reference = models.CharField(max_length=255, blank=True, default="")
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="reversed_by", editable=False
    )
    idempotency_key = models.UUIDField(null=True, unique=True, editable=False)

    class Meta:
        verbose_name = "manual entry"
        verbose_name_plural = "manual entries"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.reference or f"Manual entry {self.pk}"
