"""Quotes: what sales offers a customer, version by version, who has to agree to it in the house, and on which rules.

A version that left the draft never changes what it offers; another version takes its place. What the customer says to
it is kept in `order_forms`.
"""

from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from billing.models.contracts import Contract
from config.kernel import db
from customers.models import BillingEntity, Customer


class Quote(db.Base):
    """An offer to a customer, or to a ``prospect`` who becomes one with the acceptance: a description as a customer's.

    One of ``kind`` amendment or renewal is about a contract that runs. What it offers is in its versions.
    """

    class Kind(models.TextChoices):
        NEW = "new", "new contract"
        AMENDMENT = "amendment", "change of a contract"
        RENEWAL = "renewal", "renewal of a contract"
        ONE_OFF = "one_off", "one-off"

    number = models.CharField(max_length=32, unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.NEW)
    name = models.CharField(max_length=255)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="quotes")
    prospect = models.JSONField(default=dict, blank=True)
    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="quotes")
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, null=True, related_name="quotes")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("send_quote", "Can send quotes to customers"),
            ("approve_quote", "Can approve and reject quotes"),
            ("sign_quote", "Can record that a customer accepted or declined"),
            ("sign_late_quote", "Can record a signature that came back after the last day"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["new", "one_off"], contract__isnull=True)
                | Q(kind__in=["amendment", "renewal"], contract__isnull=False, customer__isnull=False),
                name="billing_quote_contract",
            ),
            models.CheckConstraint(condition=Q(customer__isnull=False) | ~Q(prospect={}), name="billing_quote_whom"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class QuoteVersion(db.Base):
    """What a quote offers: ``terms`` as `billing.domain.quote_terms` reads them, with what they come to.

    ``recurring_amount`` is of a month of the last phase, ``first_year_amount`` and ``total_amount`` (over the term) are
    without usage and before tax; ``discount_rate`` is the deepest discount off list prices, a fraction.
    ``terms_sha256`` is of the canonical terms and set when they freeze. ``figures`` are all totals as they were worked
    out last, ``contract_seen`` is the state of the contract that an amendment or renewal was submitted for. ``behind``
    are the people who know the keys by which it, or what it was copied from, was written or submitted.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        IN_APPROVAL = "in_approval", "waiting for approval"
        APPROVED = "approved", "approved"
        SENT = "sent", "sent"
        ACCEPTED = "accepted", "accepted"
        DECLINED = "declined", "declined"
        EXPIRED = "expired", "expired"
        VOIDED = "voided", "voided"

    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    currency = db.CurrencyField()
    terms = models.JSONField(default=dict)
    figures = models.JSONField(default=dict, editable=False)
    contract_seen = models.CharField(max_length=255, blank=True, default="", editable=False)
    introduction = models.TextField(blank=True, default="")
    valid_until = models.DateField(null=True, blank=True)
    term_months = models.PositiveSmallIntegerField(null=True, editable=False)
    payment_term_days = models.PositiveIntegerField(null=True, editable=False)
    discount_rate = models.DecimalField(max_digits=12, decimal_places=8, default=Decimal(0), editable=False)
    recurring_amount = db.money_field("a month", null=True, editable=False)
    first_year_amount = db.money_field("in the first year", null=True, editable=False)
    total_amount = db.money_field("over the term", null=True, editable=False)
    terms_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    void_reason = models.CharField(max_length=255, blank=True, default="")
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    behind = models.JSONField(default=list, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    voided_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "version of a quote"
        verbose_name_plural = "versions of quotes"
        ordering = ["quote", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["quote", "number"], name="billing_quote_version_number"),
            models.UniqueConstraint(
                fields=["quote"],
                condition=~Q(state__in=["voided", "declined", "expired"]),
                name="billing_quote_version_current",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", terms_sha256="", submitted_at__isnull=True)
                | Q(state="voided")
                | ~Q(terms_sha256="") & Q(submitted_at__isnull=False),
                name="billing_quote_version_frozen",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "sent", "accepted", "declined", "expired"])
                | Q(approved_at__isnull=False),
                name="billing_quote_version_approved",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "declined"]) | Q(decided_at__isnull=False),
                name="billing_quote_version_decided",
            ),
            models.CheckConstraint(
                condition=Q(state="voided", voided_at__isnull=False) | ~Q(state="voided") & Q(voided_at__isnull=True),
                name="billing_quote_version_voided",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "valid_until"], name="billing_quote_version_state"),
        ]

    def __str__(self) -> str:
        return f"{self.quote.number} v{self.number}"


class QuoteApprovalRule(db.Base):
    """When a version needs the consent of a group: its ``subject`` is above the ``threshold``.

    A discount is a fraction (0.2 is 20 %), a term is in months, a payment term in days, an amount in ``currency``.
    """

    class Subject(models.TextChoices):
        DISCOUNT = "discount_rate", "discount"
        TERM = "term_months", "term in months"
        PAYMENT_TERM = "payment_term_days", "payment term in days"
        TOTAL = "total_amount", "amount over the term"
        FREE_CREDITS = "free_credits", "credits given for nothing"

    name = models.CharField(max_length=255)
    subject = models.CharField(max_length=32, choices=Subject.choices)
    threshold = models.DecimalField(max_digits=20, decimal_places=8)
    currency = models.CharField(max_length=3, blank=True, default="")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "approval rule of quotes"
        verbose_name_plural = "approval rules of quotes"
        ordering = ["subject", "threshold", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(threshold__gte=0), name="billing_quote_rule_threshold"),
            models.CheckConstraint(
                condition=Q(subject__in=["total_amount", "free_credits"]) & ~Q(currency="")
                | ~Q(subject__in=["total_amount", "free_credits"]) & Q(currency=""),
                name="billing_quote_rule_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class QuoteApproval(db.Base):
    """The consent that a version needs of a group, and what somebody of it said. ``cause`` tells why it is needed."""

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"
        DROPPED = "dropped", "not needed any more"

    version = models.ForeignKey(QuoteVersion, on_delete=models.PROTECT, related_name="approvals")
    rule = models.ForeignKey(QuoteApprovalRule, on_delete=models.PROTECT, related_name="approvals")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    remark = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "approval of a quote"
        verbose_name_plural = "approvals of quotes"
        ordering = ["version", "id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "rule"], name="billing_quote_approval_once"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "dropped"], decided_by__isnull=True)
                | Q(state__in=["approved", "rejected"], decided_by__isnull=False, decided_at__isnull=False),
                name="billing_quote_approval_decided",
            ),
        ]
        indexes = [
            models.Index(fields=["group", "id"], condition=Q(state="pending"), name="billing_quote_approval_open"),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.cause}"
