"""Database ground of all apps: the base of every model, money fields that share one currency, and row locks."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils import timezone
from djmoney.models.fields import MoneyField, MoneyFieldProxy

M = TypeVar("M", bound=models.Model)

AMOUNT_PLACES = 4
"""Digits kept of final amounts; they are always quantised to the currency before they are stored."""


class Base(models.Model):
    """A row with a narrow key for joins, a public id for interfaces, and the moment it was written."""

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class CurrencyField(models.CharField):
    """The one ISO 4217 currency of a row, shared by all its amounts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        super().__init__(*args, **kwargs)


class OneCurrency(MoneyFieldProxy):  # type: ignore[misc]
    """Refuses an amount in another currency than the row's.

    The library's own descriptor would silently change the currency of the row, and with it of every other amount.
    """

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        if obj is not None and self.field.name not in obj.__dict__:
            obj.refresh_from_db(fields=[self.field.name])
        return super().__get__(obj, owner)

    def set_currency(self, obj: Any, value: str) -> None:
        current = obj.__dict__.get(self.currency_field_name)
        if current and current != value:
            raise ValueError(f"{self.field.name}: {value} on a row in {current}")
        super().set_currency(obj, value)


def money_field(verbose_name: str | None = None, **kwargs: Any) -> MoneyField:
    """A stored amount in the row's ``currency`` (declare that field first). Four places; quantise before you assign."""
    return MoneyField(
        verbose_name,
        max_digits=kwargs.pop("max_digits", 20),
        decimal_places=kwargs.pop("decimal_places", AMOUNT_PLACES),
        default_currency=None,
        currency_field_name="currency",
        money_descriptor_class=OneCurrency,
        **kwargs,
    )


def lock(rows: models.QuerySet[M]) -> list[M]:
    """Lock the rows of a queryset against writers, in primary key order, and read them anew.

    Takes ``FOR NO KEY UPDATE``, so that rows that refer to them can still be written. Needs a transaction.
    """
    return list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)))


def lock_one(rows: models.QuerySet[M]) -> M:
    """Lock the one row of a queryset and read it anew. Raises the model's DoesNotExist. Needs a transaction."""
    return rows.select_for_update(no_key=True, of=("self",)).get()


def advisory_lock(name: str) -> None:
    """Hold a lock of that name until the transaction ends. For what has no row to lock."""
    connection = transaction.get_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
