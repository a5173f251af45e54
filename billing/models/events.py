"""Usage events as they were sent. The tables are made by hand in the migrations: one partition for each month.

``billing_event_key`` holds the exact unique key outside the partitions; both rows are written by one statement.
"""

from django.db import models


class UsageEvent(models.Model):
    """One event. ``value`` is the numeric property that a metric of its code reads, taken out when it arrived.

    ``value_source`` is a digest of that property's name, nothing where no metric read one yet: metrics may come later,
    or read another property. ``fingerprint`` is a signed 64-bit digest of the event's content: sums of it tell sets of
    events apart. ``failures`` has the properties that a metric's expression could not compute, each with ``problem``,
    ``position`` and what the sender gave in its place (``sent``); nothing where all could be computed.

    ``replaced_at`` says that a correction took the event out of the usage; the row stays as it was sent.
    ``written_in`` is the number of the transaction that wrote the row last, by which it is known what others could not
    see yet.
    """

    id = models.UUIDField(primary_key=True)
    external_subscription_id = models.TextField()
    transaction_id = models.TextField()
    code = models.TextField()
    timestamp = models.DateTimeField()
    received_at = models.DateTimeField()
    properties = models.JSONField()
    value = models.DecimalField(max_digits=1000, decimal_places=500, null=True)
    value_source = models.BigIntegerField(null=True)
    precise_total_amount_cents = models.DecimalField(max_digits=1000, decimal_places=500, null=True)
    fingerprint = models.BigIntegerField()
    failures = models.JSONField(null=True)
    replaced_at = models.DateTimeField(null=True)
    written_in = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "billing_usage_event"
        verbose_name = "usage event"

    def __str__(self) -> str:
        return self.transaction_id


class EventKey(models.Model):
    """The unique key of an event, and the month in which to look for it."""

    transaction_id = models.TextField(primary_key=True)
    external_subscription_id = models.TextField()
    timestamp = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "billing_event_key"

    def __str__(self) -> str:
        return self.transaction_id
