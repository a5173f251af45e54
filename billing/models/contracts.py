"""Contracts: what a customer agreed to buy for a term, at which prices, and what was changed of that since.

Each product of a contract is sold by subscriptions; whoever bills knows those alone.
"""

from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from billing.models.rated import Same
from catalog.models import PlanVersion, Tax
from config.kernel import db
from customers.models import Customer
from invoicing.models import InvoiceLine


class Days(Func):
    """A range of days, both ends included."""

    function = "daterange"
    output_field = DateRangeField()

    def __init__(self, start: str, end: str) -> None:
        super().__init__(F(start), F(end), RangeBoundary(inclusive_lower=True, inclusive_upper=True))


class Contract(db.Base):
    """An agreement with a customer for a term, of whole months unless it was extended to a day.

    ``starts_on`` is the first local day of the first term, ``ends_on`` the last one of the last term so far. A contract
    that renews automatically gets another term of ``renewal_months`` unless notice is given ``notice_days`` before the
    end; its prices then rise by ``uplift_rate``, a fraction: the fee, or all of them. ``billing_time`` is that of its
    subscriptions, whose periods count from ``starts_on`` where they are anniversaries.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        ACTIVE = "active", "active"
        ENDED = "ended", "ended"
        CANCELED = "canceled", "canceled"

    class Renewal(models.TextChoices):
        NONE = "none", "ends with its term"
        AUTOMATIC = "automatic", "renews unless notice is given"

    class UpliftScope(models.TextChoices):
        FEE = "fee", "the fee"
        ALL = "all", "all prices, minimums and commitments"

    class BillingTime(models.TextChoices):
        CALENDAR = "calendar", "calendar"
        ANNIVERSARY = "anniversary", "from the first day of the contract"

    number = models.CharField(max_length=32, unique=True, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contracts")
    name = models.CharField(max_length=255)
    currency = db.CurrencyField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    starts_on = models.DateField()
    term_months = models.PositiveSmallIntegerField()
    ends_on = models.DateField()
    renewal = models.CharField(max_length=16, choices=Renewal.choices, default=Renewal.NONE)
    renewal_months = models.PositiveSmallIntegerField()
    notice_days = models.PositiveSmallIntegerField(default=0)
    uplift_rate = models.DecimalField(max_digits=12, decimal_places=8, default=Decimal(0))
    uplift_scope = models.CharField(max_length=8, choices=UpliftScope.choices, default=UpliftScope.FEE)
    billing_time = models.CharField(max_length=16, choices=BillingTime.choices, default=BillingTime.ANNIVERSARY)
    purchase_order_number = models.CharField(max_length=255, blank=True, default="")
    terms_text = models.TextField(blank=True, default="")
    activated_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    canceled_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("activate_contract", "Can activate, amend and end contracts"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="billing_contract_order"),
            models.CheckConstraint(
                condition=Q(term_months__gte=1, renewal_months__gte=1), name="billing_contract_months"
            ),
            models.CheckConstraint(
                condition=Q(renewal="none") | Q(notice_days__gte=1), name="billing_contract_notice_days"
            ),
            models.CheckConstraint(condition=Q(uplift_rate__gt=-1), name="billing_contract_uplift"),
            models.CheckConstraint(
                condition=Q(state="draft", activated_at__isnull=True, ended_at__isnull=True, canceled_at__isnull=True)
                | Q(state="active", activated_at__isnull=False, ended_at__isnull=True, canceled_at__isnull=True)
                | Q(state="ended", activated_at__isnull=False, ended_at__isnull=False, canceled_at__isnull=True)
                | Q(state="canceled", activated_at__isnull=True, ended_at__isnull=True, canceled_at__isnull=False),
                name="billing_contract_state",
            ),
        ]
        indexes = [
            models.Index(fields=["ends_on"], condition=Q(state="active"), name="billing_contract_ending"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class ContractTerm(db.Base):
    """One term of a contract: the first one, and one for each renewal. ``months`` is none where it was extended."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="terms")
    number = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    months = models.PositiveSmallIntegerField(null=True)
    uplift_rate = models.DecimalField(max_digits=12, decimal_places=8, default=Decimal(0))

    class Meta:
        verbose_name = "term of a contract"
        verbose_name_plural = "terms of contracts"
        ordering = ["contract", "number"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="billing_contract_term_number"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="billing_contract_term_order"),
        ]

    def __str__(self) -> str:
        return f"{self.contract.number} term {self.number}"


class ContractItem(db.Base):
    """A product of a contract: the subscriptions under one external id, on the terms of its phases.

    ``ends_on`` is the last local day of the product: that of the contract, unless it was removed before.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="items")
    external_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    starts_on = models.DateField()
    ends_on = models.DateField()
    removed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "product of a contract"
        verbose_name_plural = "products of contracts"
        ordering = ["contract", "id"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "external_id"], name="billing_contract_item_external_id"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="billing_contract_item_order"),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class ContractPhase(db.Base):
    """A stretch of days of a product with terms of its own. Phases of a product never overlap.

    ``plan_version`` are the public prices that it was agreed on, ``overrides`` what is agreed otherwise, numbers of
    units included, as the catalogue keeps own terms. ``own_version`` is what these come to (the public prices where
    nothing differs), made ahead of its day; ``scheduled_at`` says that a subscription has it, or waits for it.
    """

    item = models.ForeignKey(ContractItem, on_delete=models.PROTECT, related_name="phases")
    starts_on = models.DateField()
    ends_on = models.DateField()
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    overrides = models.JSONField(default=dict, blank=True)
    own_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, null=True, related_name="+", editable=False)
    scheduled_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "phase of a contract"
        verbose_name_plural = "phases of contracts"
        ordering = ["item", "starts_on"]
        constraints = [
            ExclusionConstraint(
                name="billing_contract_phase_once",
                expressions=[
                    (Same("item_id"), RangeOperators.OVERLAPS),
                    (Days("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="billing_contract_phase_order"),
            models.CheckConstraint(
                condition=Q(scheduled_at__isnull=True) | Q(own_version__isnull=False),
                name="billing_contract_phase_scheduled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} from {self.starts_on}"


class ContractCommitment(db.Base):
    """An amount that the customer committed to: for each period of a product, or over days of the contract.

    Over the term what was not bought is billed once, after ``ends_on``: `due_amount`, `billed_amount` and the `line`
    say how that came out. ``cut_on`` is the last day of one that ended early; its amount is owed by its days, or all of
    it with ``is_whole``. ``renews`` commits to the same for a renewed term, in the row that ``follows`` this one.

    One that is prepaid is invoiced in ``instalments``, and drawn down by what is billed: each grants its credit as
    ``grant_on`` says. What is left at the end expires, or ``rolls_over`` into the one that follows.
    """

    class Kind(models.TextChoices):
        PERIOD = "period", "for each period"
        TERM = "term", "over the term"
        PREPAID = "prepaid", "prepaid, drawn down"

    class Instalments(models.TextChoices):
        WHOLE = "whole", "in whole"
        MONTHLY = "monthly", "monthly"
        QUARTERLY = "quarterly", "quarterly"
        YEARLY = "yearly", "yearly"

    class GrantOn(models.TextChoices):
        PAYMENT = "payment", "once it is paid"
        ISSUE = "issue", "as soon as it is invoiced"

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="commitments")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    item = models.ForeignKey(ContractItem, on_delete=models.PROTECT, null=True, related_name="commitments")
    starts_on = models.DateField()
    ends_on = models.DateField()
    cut_on = models.DateField(null=True, editable=False)
    is_whole = models.BooleanField(default=False, editable=False)
    renews = models.BooleanField(default=True)
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="followed_by", editable=False)
    instalments = models.CharField(max_length=16, choices=Instalments.choices, default=Instalments.WHOLE)
    grant_on = models.CharField(max_length=16, choices=GrantOn.choices, default=GrantOn.PAYMENT)
    rolls_over = models.BooleanField(default=False)
    invoice_name = models.CharField(max_length=255, blank=True, default="")
    currency = db.CurrencyField()
    amount = db.money_field("committed")
    due_amount = db.money_field("due", null=True, editable=False)
    billed_amount = db.money_field("billed", null=True, editable=False)
    taxes = models.ManyToManyField(Tax, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, editable=False)
    line = models.OneToOneField(
        InvoiceLine, on_delete=models.PROTECT, null=True, related_name="contract_commitment", editable=False
    )

    class Meta:
        verbose_name = "commitment of a contract"
        verbose_name_plural = "commitments of contracts"
        ordering = ["contract", "starts_on", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="billing_contract_commitment_amount"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="billing_contract_commitment_order"),
            models.CheckConstraint(
                condition=Q(kind="period", item__isnull=False) | Q(kind__in=["term", "prepaid"], item__isnull=True),
                name="billing_contract_commitment_item",
            ),
            models.CheckConstraint(
                condition=Q(cut_on__isnull=True) | Q(cut_on__gte=F("starts_on"), cut_on__lte=F("ends_on")),
                name="billing_contract_commitment_cut",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, line__isnull=True)
                | Q(settled_at__isnull=False, line__isnull=True, kind="prepaid")
                | Q(settled_at__isnull=False, due_amount__isnull=False, billed_amount__isnull=False, kind="term"),
                name="billing_contract_commitment_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["ends_on"],
                condition=Q(kind="term", settled_at__isnull=True),
                name="billing_contract_commitment",
            ),
            models.Index(
                fields=["starts_on"],
                condition=Q(kind="prepaid", settled_at__isnull=True),
                name="billing_prepaid_commitment",
            ),
        ]

    def __str__(self) -> str:
        return self.invoice_name or f"Commitment of {self.contract.number}"


class ContractAmendment(db.Base):
    """A change of a contract that runs, from a day on: what it was before, what it is after, who agreed to it, and why.

    Rows are only ever added.
    """

    class Kind(models.TextChoices):
        CHANGE_TERMS = "change_terms", "other terms of a product"
        ADD_PRODUCT = "add_product", "a product added"
        REMOVE_PRODUCT = "remove_product", "a product removed"
        EXTEND_TERM = "extend_term", "a longer term"
        CHANGE_COMMITMENT = "change_commitment", "another commitment"
        RENEWAL = "renewal", "a renewal"

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="amendments")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=32, choices=Kind.choices)
    effective_on = models.DateField()
    made_by = models.CharField(max_length=255)
    reason = models.TextField(blank=True, default="")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name = "amendment of a contract"
        verbose_name_plural = "amendments of contracts"
        ordering = ["contract", "number"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="billing_contract_amendment_number"),
        ]

    def __str__(self) -> str:
        return f"{self.contract.number} amendment {self.number}"


class ContractNotice(db.Base):
    """Notice that a contract is not to be renewed, by either side. One that was taken back has ``withdrawn_at``."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="notices")
    term_number = models.PositiveSmallIntegerField()
    given_on = models.DateField()
    given_by = models.CharField(max_length=255)
    recorded_by = models.CharField(max_length=255)
    reason = models.TextField(blank=True, default="")
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "notice of non-renewal"
        verbose_name_plural = "notices of non-renewal"
        ordering = ["contract", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract"], condition=Q(withdrawn_at__isnull=True), name="billing_contract_notice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract.number} {self.given_on}"
