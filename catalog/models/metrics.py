"""Billable metrics: what of the incoming events is counted, and how."""

from django.db import models

from config.kernel import db


class BillableMetric(db.Base):
    """A metric reads the events whose code is ``event_code``: its own code unless it shares another's events.

    ``expression`` computes the property ``field_name`` of those events when they come in. What a ``recurring`` metric
    counts stays over periods until events take it back.
    """

    class Aggregation(models.TextChoices):
        COUNT = "count_agg", "count"
        SUM = "sum_agg", "sum"
        MAX = "max_agg", "maximum"
        UNIQUE_COUNT = "unique_count_agg", "unique count"
        LATEST = "latest_agg", "latest"
        WEIGHTED_SUM = "weighted_sum_agg", "weighted sum"

    class Rounding(models.TextChoices):
        NEAREST = "round", "to the nearest"
        CEIL = "ceil", "up"
        FLOOR = "floor", "down"

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    aggregation_type = models.CharField(max_length=32, choices=Aggregation.choices)
    field_name = models.CharField(max_length=255, blank=True, default="")
    expression = models.TextField(blank=True, default="")
    event_code = models.CharField(max_length=255)
    recurring = models.BooleanField(default=False)
    rounding_function = models.CharField(max_length=8, choices=Rounding.choices, blank=True, default="")
    rounding_precision = models.SmallIntegerField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(deleted_at__isnull=True), name="catalog_metric_code"
            ),
            models.CheckConstraint(
                condition=models.Q(aggregation_type="count_agg") | ~models.Q(field_name=""),
                name="catalog_metric_field_name",
            ),
            models.CheckConstraint(
                condition=models.Q(expression="") | ~models.Q(field_name=""), name="catalog_metric_expression"
            ),
            models.CheckConstraint(
                condition=models.Q(recurring=False)
                | models.Q(aggregation_type__in=["sum_agg", "unique_count_agg", "weighted_sum_agg"]),
                name="catalog_metric_recurring",
            ),
        ]
        indexes = [models.Index(fields=["event_code"], name="catalog_metric_event_code")]

    def __str__(self) -> str:
        return self.name


class MetricFilter(db.Base):
    """A property of the metric's events by whose declared values charges may set their own price."""

    metric = models.ForeignKey(BillableMetric, on_delete=models.CASCADE, related_name="filters")
    key = models.CharField(max_length=255)
    values = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["metric", "key"], name="catalog_metric_filter_key")]

    def __str__(self) -> str:
        return self.key
