"""Usage paid in advance: the events that wait to be billed one by one, and how high usage has been in a period.

An event is put in the queue by the statement that stores it, and leaves it in the transaction that bills it. So what
was accepted is billed once, however often the work is interrupted.
"""

from django.db import models

from billing.models.subscriptions import Subscription


class AdvanceEvent(models.Model):
    """An event whose code has a charge that is paid in advance, until it is billed. Rows are in the order of arrival.

    With ``withdraws`` the event is to be taken out of the usage again: it was billed, and a correction replaced it.
    ``problem`` says why it could not be billed when it was tried at ``tried_at``; such an event is tried again.
    """

    id = models.BigAutoField(primary_key=True)
    external_subscription_id = models.TextField()
    transaction_id = models.TextField()
    code = models.TextField()
    timestamp = models.DateTimeField()
    withdraws = models.BooleanField(default=False)
    tried_at = models.DateTimeField(null=True)
    problem = models.TextField(default="")

    class Meta:
        verbose_name = "event to be billed"
        verbose_name_plural = "events to be billed"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_subscription_id", "transaction_id", "withdraws"], name="billing_advance_event_once"
            ),
        ]

    def __str__(self) -> str:
        return self.transaction_id


class AdvanceLevel(models.Model):
    """What of a charge, filter and group (``item_key``) was billed event by event in one period of a subscription.

    ``base`` are the units carried over into the period, ``units`` those that are there now, ``peak`` the most that
    there were since: only units above it are billed. Where an event that took units was withdrawn, ``units`` may be
    above ``peak`` until the next event, which bills them. ``days_units`` are the units billed by their days.
    ``values`` are the first values of events that used up what is free, where the price asks for them.
    """

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="advance_levels")
    item_key = models.BigIntegerField()
    from_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    events_count = models.PositiveBigIntegerField(default=0)
    base = models.DecimalField(max_digits=120, decimal_places=40, default=0)
    units = models.DecimalField(max_digits=120, decimal_places=40, default=0)
    peak = models.DecimalField(max_digits=120, decimal_places=40, default=0)
    days_units = models.DecimalField(max_digits=120, decimal_places=40, default=0)
    given_amount = models.DecimalField(max_digits=120, decimal_places=40, default=0)
    values = models.JSONField(default=list)

    class Meta:
        verbose_name = "level of usage paid in advance"
        verbose_name_plural = "levels of usage paid in advance"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "from_at", "item_key"], name="billing_advance_level_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.from_at:%Y-%m-%d}"


class AdvanceValue(models.Model):
    """A unique value that an event of the period added or removed, and whether it is there now."""

    id = models.BigAutoField(primary_key=True)
    level = models.ForeignKey(AdvanceLevel, on_delete=models.PROTECT, related_name="unique_values")
    value = models.TextField()
    is_there = models.BooleanField()

    class Meta:
        verbose_name = "unique value paid in advance"
        verbose_name_plural = "unique values paid in advance"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                models.F("level"), models.Func(models.F("value"), function="md5"), name="billing_advance_value_once"
            )
        ]

    def __str__(self) -> str:
        return self.value
