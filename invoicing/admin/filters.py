"""Filters of the lists of invoices and payments."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.lookups import GreaterThan
from django.http import HttpRequest
from django.utils import dateparse

from catalog.models import PlanVersion
from config.platform.admin import filters, theme
from invoicing.models import Invoice
from invoicing.queries import receivables

_LEFT = Q(GreaterThan(receivables.DUE, Decimal(0)))


class CurrencyFilter(theme.DropdownFilter):
    """The currency of the row. Plans are asked for theirs: asking a long table for its own would read all of it."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The currencies that anything is sold in."""
        sold = PlanVersion.objects.order_by("currency").values_list("currency", flat=True).distinct()
        return [(currency, currency) for currency in sold]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to it."""
        return queryset.filter(currency=self.value()) if self.value() else queryset


def _open(rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
    given_up = Q(written_off_amount__gt=0) & ~_LEFT
    found = rows.filter(status=Invoice.Status.FINALIZED).exclude(payment_status=Invoice.PaymentStatus.SUCCEEDED)
    return found.exclude(given_up)


class DueFilter(filters.ChoiceFilter):
    """What is still to be paid."""

    title = "due"
    parameter_name = "due"
    options = (
        ("open", "Open", _open),
        ("overdue", "Overdue", lambda rows: _open(rows).filter(payment_overdue=True)),
        ("written_off", "Written off", lambda rows: rows.filter(written_off_amount__gt=0)),
        ("part", "Partly paid", lambda rows: _open(rows).filter(_LEFT, paid_amount__gt=0)),
    )


class PaymentFilter(filters.ChoiceFilter):
    """How a fee that stands alone was paid. A fee of zero waits for no payment."""

    title = "payment"
    parameter_name = "payment"
    options = (
        ("pending", "Pending", lambda rows: rows.filter(payment_status="pending").exclude(amount=0, taxes_amount=0)),
        ("succeeded", "Succeeded", lambda rows: rows.filter(payment_status="succeeded")),
        ("failed", "Failed", lambda rows: rows.filter(payment_status="failed")),
        ("refunded", "Refunded", lambda rows: rows.filter(payment_status="refunded")),
    )


class DueDayFilter(theme.RangeDateFilter):
    """The day of payment. What is due by a day was issued by then, where the list of what is due for long begins."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """Narrow to the days; what is no day narrows nothing."""
        found = super().queryset(request, queryset)
        try:
            last = dateparse.parse_date(self.used_parameters.get(f"{self.parameter_name}_to") or "")
        except (TypeError, ValueError):
            last = None
        return queryset if found is None else found if last is None else found.filter(issuing_date__lte=last)


class AmountFilter(theme.RangeNumericFilter):
    """From one amount to another, in major units of whatever currency; what is no number narrows nothing."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the range."""
        for suffix, lookup in (("from", "gte"), ("to", "lte")):
            amount = _decimal(self.used_parameters.get(f"{self.parameter_name}_{suffix}"))
            if amount is not None:
                queryset = queryset.filter(**{f"{self.field_path}__{lookup}": amount})
        return queryset


def _decimal(given: Sequence[str] | str | None) -> Decimal | None:
    text = given if isinstance(given, str) or given is None else given[0]
    try:
        found = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() and abs(found) < Decimal(10) ** 15 else None
