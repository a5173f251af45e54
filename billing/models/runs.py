"""Billing runs: what a run found due, what it made of it and what went wrong."""

from django.db import models

from config.kernel import db
from customers.models import Customer
from invoicing.models import Invoice


class BillingRun(db.Base):
    """One run of the billing job at the clock ``as_of``."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "with failures"

    as_of = models.DateTimeField()
    trigger = models.CharField(max_length=255)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.RUNNING)
    finished_at = models.DateTimeField(null=True, editable=False)
    customers_total = models.PositiveIntegerField(default=0)
    customers_done = models.PositiveIntegerField(default=0)
    invoices_count = models.PositiveIntegerField(default=0)
    failures_count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "billing run"
        ordering = ["-created_at", "-id"]
        permissions = [("start_billingrun", "Can start a billing run")]

    def __str__(self) -> str:
        return f"Run {self.pk}"


class BillingRunItem(db.Base):
    """What a run made for one customer and billing day: an invoice, or the reason why there is none."""

    run = models.ForeignKey(BillingRun, on_delete=models.PROTECT, related_name="items")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    billing_date = models.DateField(null=True)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, null=True, related_name="run_item")
    error_code = models.CharField(max_length=255, blank=True, default="")
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "billing run item"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.customer} {self.billing_date}"
