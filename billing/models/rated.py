"""What has been billed: periods, and the rated amounts in them. The database refuses to bill a time twice."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Value

from billing.models.fixed_units import FixedChargeUnits
from billing.models.runs import BillingRun
from billing.models.subscriptions import Subscription
from catalog.models import Charge, ChargeFilter, FixedCharge, PlanVersion
from config.kernel import db
from invoicing.models import Invoice, InvoiceLine


class Same(Func):
    """``int8range(x, x, '[]')``: lets an exclusion constraint compare integers with the built-in range operators."""

    function = "int8range"

    def __init__(self, expression: str) -> None:
        super().__init__(F(expression), F(expression), Value("[]"))


class Between(Func):
    """A half-open range of instants."""

    function = "tstzrange"
    output_field = DateTimeRangeField()

    def __init__(self, start: str, end: str) -> None:
        super().__init__(F(start), F(end), RangeBoundary())


class BilledPeriod(db.Base):
    """A period of a subscription on an invoice. Released when its draft is voided: the time may then be billed anew.

    From ``from_at`` to ``to_at`` is the time of the plan fee, of which ``days`` of ``of_days`` are billed; without
    ``bills_fee`` it is only the time around the usage that is billed. Usage has a time of its own, empty at a start; so
    have fixed charges in arrears and those in advance, null where none are billed, and the minimum commitment that is
    settled, ``commitment_days`` of ``commitment_of_days``. Usage paid in advance is billed
    within a period, event by event: such a row covers no time, and the events are what is billed once. Nor does the row
    of a progressive invoice: what it bills of a period so far is billed again with it, and taken off. A time that was
    settled with nothing to bill has no invoice: it is billed time all the same, with no line. Nor has the time that
    another system billed before the contract was moved here. Its usage was
    priced by ``plan_version``, and all events that were written before the transaction ``usage_horizon`` were surely
    seen; ``late_checked`` says that those that came since were looked at once it was issued.
    """

    class Reason(models.TextChoices):
        STARTING = "subscription_starting", "start"
        PERIODIC = "subscription_periodic", "period"
        TERMINATING = "subscription_terminating", "termination"
        IN_ADVANCE_CHARGE = "in_advance_charge", "usage paid in advance"
        PROGRESSIVE = "progressive_billing", "a usage threshold"
        ELSEWHERE = "billed_elsewhere", "billed elsewhere"

    WITHIN = (Reason.IN_ADVANCE_CHARGE, Reason.PROGRESSIVE)
    """Reasons for an invoice within a period, which leave its time to be billed."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="billed_periods")
    run = models.ForeignKey(BillingRun, on_delete=models.PROTECT, null=True, related_name="periods")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="billed_periods")
    reason = models.CharField(max_length=32, choices=Reason.choices)
    timezone = models.CharField(max_length=64)
    billing_date = models.DateField()
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    charges_from_at = models.DateTimeField()
    charges_to_at = models.DateTimeField()
    fixed_charges_from_at = models.DateTimeField(null=True)
    fixed_charges_to_at = models.DateTimeField(null=True)
    fixed_advance_from_at = models.DateTimeField(null=True)
    fixed_advance_to_at = models.DateTimeField(null=True)
    commitment_from_at = models.DateTimeField(null=True)
    commitment_to_at = models.DateTimeField(null=True)
    commitment_days = models.PositiveSmallIntegerField(null=True)
    commitment_of_days = models.PositiveSmallIntegerField(null=True)
    days = models.PositiveSmallIntegerField()
    of_days = models.PositiveSmallIntegerField()
    bills_fee = models.BooleanField(default=True)
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, null=True, related_name="+")
    usage_horizon = models.BigIntegerField(default=0)
    late_checked = models.BooleanField(default=False)
    released_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "billed period"
        ordering = ["subscription", "from_at"]
        permissions = [("read_report", "Can read reports, with the customers and documents behind their figures")]
        constraints = [
            ExclusionConstraint(
                name="billing_period_once",
                expressions=[
                    (Same("subscription_id"), RangeOperators.OVERLAPS),
                    (Between("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
                condition=models.Q(bills_fee=True, released_at__isnull=True),
            ),
            ExclusionConstraint(
                name="billing_usage_once",
                expressions=[
                    (Same("subscription_id"), RangeOperators.OVERLAPS),
                    (Between("charges_from_at", "charges_to_at"), RangeOperators.OVERLAPS),
                ],
                condition=models.Q(released_at__isnull=True)
                & ~models.Q(reason__in=["in_advance_charge", "progressive_billing"]),
            ),
            models.CheckConstraint(
                condition=~models.Q(reason__in=["in_advance_charge", "progressive_billing"])
                | models.Q(bills_fee=False),
                name="billing_period_advance",
            ),
            models.CheckConstraint(
                condition=models.Q(invoice__isnull=False)
                | ~models.Q(reason="in_advance_charge") & models.Q(released_at__isnull=True),
                name="billing_period_of_nothing",
            ),
            models.CheckConstraint(condition=models.Q(from_at__lt=F("to_at")), name="billing_period_order"),
            models.CheckConstraint(
                condition=models.Q(fixed_charges_from_at__isnull=True, fixed_charges_to_at__isnull=True)
                | models.Q(fixed_charges_from_at__lt=F("fixed_charges_to_at")),
                name="billing_period_fixed_order",
            ),
            models.CheckConstraint(
                condition=models.Q(fixed_advance_from_at__isnull=True, fixed_advance_to_at__isnull=True)
                | models.Q(fixed_advance_from_at__lt=F("fixed_advance_to_at")),
                name="billing_period_fixed_advance_order",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    commitment_from_at__isnull=True,
                    commitment_to_at__isnull=True,
                    commitment_days__isnull=True,
                    commitment_of_days__isnull=True,
                )
                | models.Q(
                    commitment_from_at__lt=F("commitment_to_at"),
                    commitment_of_days__gte=1,
                    commitment_days__lte=F("commitment_of_days"),
                ),
                name="billing_period_commitment",
            ),
            models.CheckConstraint(
                condition=models.Q(of_days__gte=1, days__lte=F("of_days")), name="billing_period_share"
            ),
        ]
        indexes = [
            models.Index(
                fields=["usage_horizon"],
                condition=models.Q(late_checked=False, released_at__isnull=True)
                & models.Q(charges_from_at__lt=F("charges_to_at")),
                name="billing_period_unchecked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.billing_date}"


class RatedCharge(db.Base):
    """A line's origin: which price of which subscription over which time, and the trace of its calculation.

    ``item_key`` is a stable digest of what was billed (plan fee, or charge, filter and group over all versions of the
    plan). What was billed for one event has its ``event_transaction_id``; every such item is billed once per event,
    all others once per time. Units of a fixed charge that are added within a period are billed once by their
    ``fixed_units``. One that ``is_progressive`` bills the usage of a period so far, which later invoices bill again and
    take off: it is billed once on its invoice. A line that stands alone has no period. ``group`` are the values that
    the events' properties have in the group, null where they have none. What brings a charge up to its minimum is
    ``true_up_of`` the charge's first line.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="rated_charges")
    period = models.ForeignKey(BilledPeriod, on_delete=models.PROTECT, null=True, related_name="rated_charges")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, null=True, related_name="rated_charges")
    charge_filter = models.ForeignKey(ChargeFilter, on_delete=models.PROTECT, null=True, related_name="rated_charges")
    fixed_charge = models.ForeignKey(FixedCharge, on_delete=models.PROTECT, null=True, related_name="rated_charges")
    fixed_units = models.ForeignKey(FixedChargeUnits, on_delete=models.PROTECT, null=True, related_name="rated_charges")
    line = models.OneToOneField(InvoiceLine, on_delete=models.PROTECT, related_name="rated_charge")
    item_key = models.BigIntegerField()
    event_transaction_id = models.TextField(null=True, editable=False)
    is_progressive = models.BooleanField(default=False, editable=False)
    group = models.JSONField(default=dict, blank=True)
    true_up_of = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, null=True, related_name="true_ups")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    trace = models.JSONField()
    trace_sha256 = models.CharField(max_length=64)
    released_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "rated charge"
        ordering = ["line"]
        constraints = [
            ExclusionConstraint(
                name="billing_rated_once",
                expressions=[
                    (Same("subscription_id"), RangeOperators.OVERLAPS),
                    (Same("item_key"), RangeOperators.OVERLAPS),
                    (Between("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
                condition=models.Q(
                    released_at__isnull=True,
                    event_transaction_id__isnull=True,
                    fixed_units__isnull=True,
                    is_progressive=False,
                ),
            ),
            models.UniqueConstraint(
                fields=["fixed_units"],
                condition=models.Q(released_at__isnull=True, fixed_units__isnull=False),
                name="billing_fixed_units_rated_once",
            ),
            models.CheckConstraint(
                condition=models.Q(charge__isnull=True) | models.Q(fixed_charge__isnull=True),
                name="billing_rated_one_price",
            ),
            models.UniqueConstraint(
                fields=["subscription", "item_key", "event_transaction_id"],
                condition=models.Q(released_at__isnull=True, event_transaction_id__isnull=False),
                name="billing_event_rated_once",
            ),
            models.UniqueConstraint(
                fields=["period", "item_key"],
                condition=models.Q(is_progressive=True),
                name="billing_progressive_rated_once",
            ),
        ]
        indexes = [
            models.Index(fields=["to_at"], condition=models.Q(charge__isnull=False), name="billing_rated_usage"),
            models.Index(fields=["line"], condition=models.Q(is_progressive=True), name="billing_rated_progressive"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.from_at:%Y-%m-%d}"
