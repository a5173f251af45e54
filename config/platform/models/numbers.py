"""Locked counters behind gapless document numbers."""

from django.db import models

from config.kernel import db


class NumberSequence(db.Base):
    """The last number given out in a scope, such as one entity's invoices. Taken under a row lock, so without gaps."""

    scope = models.CharField(max_length=255, unique=True)
    last_value = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.scope}: {self.last_value}"
