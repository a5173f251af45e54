"""Order forms and orders: what the customer is given to sign, what the customer said, and what was made of it."""

from django.db import models
from django.db.models import Q

from billing.models.contracts import Contract
from billing.models.quotes import QuoteVersion
from config.kernel import db
from customers.models import Customer
from invoicing.models import Invoice


class OrderForm(db.Base):
    """An approved version as the customer gets it: the PDF, and the page that its secret link opens.

    Of the link only the digest is kept, ``token_sha256``. ``sha256`` is of the PDF's bytes, which are rendered once.
    What was signed, by whom, from where, never changes. ``signed_on`` is the day beside a signature on paper, local to
    the customer, where somebody wrote it down.
    """

    class State(models.TextChoices):
        GENERATED = "generated", "to be signed"
        SIGNED = "signed", "signed"
        DECLINED = "declined", "declined"
        EXPIRED = "expired", "expired"
        VOIDED = "voided", "voided"

    number = models.CharField(max_length=32, unique=True, editable=False)
    version = models.OneToOneField(QuoteVersion, on_delete=models.PROTECT, related_name="order_form")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="order_forms")
    state = models.CharField(max_length=16, choices=State.choices, default=State.GENERATED)
    expires_at = models.DateTimeField(null=True)
    token_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    file = models.FileField(max_length=255, blank=True, default="", editable=False)
    sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)
    sent_to = models.CharField(max_length=1024, blank=True, default="")
    sent_at = models.DateTimeField(null=True, editable=False)
    first_seen_at = models.DateTimeField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    signed_on = models.DateField(null=True, blank=True)
    signer_name = models.CharField(max_length=255, blank=True, default="")
    signer_title = models.CharField(max_length=255, blank=True, default="")
    signer_email = models.CharField(max_length=1024, blank=True, default="")
    signer_address = models.CharField(max_length=64, blank=True, default="")
    signer_client = models.CharField(max_length=512, blank=True, default="")
    recorded_by = models.CharField(max_length=255, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    signed_document = models.FileField(max_length=255, blank=True, default="", editable=False)
    voided_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "order form"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["token_sha256"], condition=~Q(token_sha256=""), name="billing_order_form_token"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["signed", "declined"]) | Q(decided_at__isnull=False),
                name="billing_order_form_decided",
            ),
            models.CheckConstraint(
                condition=~Q(state="signed") | Q(customer__isnull=False) & ~Q(signer_name=""),
                name="billing_order_form_signed",
            ),
            models.CheckConstraint(
                condition=Q(state="voided", voided_at__isnull=False) | ~Q(state="voided") & Q(voided_at__isnull=True),
                name="billing_order_form_voided",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Order(db.Base):
    """What a signed order form is turned into: contract, subscriptions, credits and invoices, in one transaction.

    ``snapshot`` are the terms as they were signed; ``record`` names what was made.
    """

    class State(models.TextChoices):
        CREATED = "created", "to be executed"
        EXECUTED = "executed", "executed"
        FAILED = "failed", "failed"

    class Mode(models.TextChoices):
        EXECUTE = "execute", "make contract and subscriptions"
        ORDER_ONLY = "order_only", "keep the order only"

    number = models.CharField(max_length=32, unique=True, editable=False)
    order_form = models.OneToOneField(OrderForm, on_delete=models.PROTECT, related_name="order")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    currency = db.CurrencyField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.CREATED)
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.EXECUTE)
    execute_at = models.DateTimeField(null=True)
    executed_at = models.DateTimeField(null=True, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, null=True, related_name="orders")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="+")
    snapshot = models.JSONField(default=dict)
    record = models.JSONField(default=dict)
    error_code = models.CharField(max_length=255, blank=True, default="")
    error = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("execute_order", "Can execute orders")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="executed", executed_at__isnull=False)
                | ~Q(state="executed") & Q(executed_at__isnull=True),
                name="billing_order_executed",
            ),
        ]

    def __str__(self) -> str:
        return self.number
