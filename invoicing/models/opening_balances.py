"""What customers owed or had when the books were taken over, and how it was settled. Append-only."""

from django.db import models

from config.kernel import db
from customers.models import BillingEntity, Customer
from invoicing.models.ledger import LedgerEntry


class OpeningBalance(db.Base):
    """An open invoice of the former system, or credit that a customer had there; ``reference`` is its number there.

    It is no invoice of ours: it has no number, lines or taxes here, and is no revenue. ``amount`` is what was open of
    ``original_amount``. ``entry`` is its booking against the account of opening balances. Where the same number is
    booked anew after it was taken back, ``attempt`` tells the bookings apart.
    """

    class Kind(models.TextChoices):
        OWED = "owed", "owed"
        CREDIT = "credit", "credit"

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="opening_balances")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="opening_balances")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    reference = models.CharField(max_length=255)
    issuing_date = models.DateField()
    due_date = models.DateField()
    currency = db.CurrencyField()
    original_amount = db.money_field("amount")
    amount = db.money_field("open")
    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, related_name="opening_balance")
    attempt = models.PositiveSmallIntegerField(default=1)

    class Meta:
        verbose_name = "opening balance"
        ordering = ["-id"]
        permissions = [("settle_openingbalance", "Can settle an opening balance")]
        constraints = [
            models.UniqueConstraint(
                fields=["billing_entity", "customer", "kind", "reference", "attempt"],
                name="invoicing_opening_reference",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, original_amount__gte=models.F("amount")),
                name="invoicing_opening_amount",
            ),
            models.CheckConstraint(
                condition=models.Q(due_date__gte=models.F("issuing_date")), name="invoicing_opening_dates"
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class OpeningSettlement(db.Base):
    """What was paid, given up or paid back of an opening balance; ``entry`` is its booking.

    Also what takes such a thing back: ``undoes`` is the settlement that an undoing one takes back. One that takes back
    the balance itself takes all of it.
    """

    class Kind(models.TextChoices):
        PAID = "paid", "paid"
        WRITTEN_OFF = "written_off", "written off"
        PAID_BACK = "paid_back", "paid back"
        UNDONE = "undone", "undone"
        TAKEN_BACK = "taken_back", "taken back"

    opening = models.ForeignKey(OpeningBalance, on_delete=models.PROTECT, related_name="settlements")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    currency = db.CurrencyField()
    amount = db.money_field("settled")
    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, related_name="opening_settlement")
    idempotency_key = models.UUIDField(null=True, unique=True, editable=False)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undone_by")

    class Meta:
        verbose_name = "settlement of an opening balance"
        verbose_name_plural = "settlements of opening balances"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_opening_settled"),
            models.CheckConstraint(
                condition=models.Q(kind="undone", undoes__isnull=False)
                | (~models.Q(kind="undone") & models.Q(undoes__isnull=True)),
                name="invoicing_opening_undone",
            ),
            models.UniqueConstraint(
                fields=["opening"], condition=models.Q(kind="taken_back"), name="invoicing_opening_taken_back_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.opening}"
