"""VAT numbers and what the register of the EU says about them."""

from django.db import models

from config.kernel import db


class VatCheck(db.Base):
    """What the register of the EU said about a VAT number, or that it is still to be asked.

    ``number`` is in capitals without blanks, with the two letters of its country. It is asked about at
    ``next_attempt_at``: again and again while it is pending (``error`` says why there is no answer), and once an answer
    is old. The last answer counts until another one is there. ``told_by`` is the register, or who decided without it.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "to be checked"
        VALID = "valid", "valid"
        INVALID = "invalid", "not valid"

    number = models.CharField(max_length=32, unique=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    name = models.CharField(max_length=512, blank=True, default="")
    address = models.TextField(blank=True, default="")
    reference = models.CharField(max_length=64, blank=True, default="")
    told_by = models.CharField(max_length=255, blank=True, default="")
    checked_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    error = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        verbose_name = "check of a VAT number"
        verbose_name_plural = "checks of VAT numbers"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="pending") | models.Q(checked_at__isnull=False),
                name="customers_vat_check_answered",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="customers_vat_check_next"),
        ]

    def __str__(self) -> str:
        return self.number
