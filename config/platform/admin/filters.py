"""Filters of lists that the theme does not bring: days of an instant, and the way a list narrows by plain choices."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import dateparse, timezone

from config.kernel import dates
from config.platform.admin import theme


class DayRangeFilter(theme.RangeDateFilter):
    """From one day to another, both included, of a field that holds instants. Days are those of the installation."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the days; what is no day narrows nothing."""
        zone = dates.zone(timezone.get_current_timezone_name())
        first = _day(self.used_parameters.get(f"{self.parameter_name}_from"))
        last = _day(self.used_parameters.get(f"{self.parameter_name}_to"))
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": dates.start_of_day(first, zone)})
        if last is not None and last < date.max:
            after = dates.start_of_day(last + timedelta(days=1), zone)
            queryset = queryset.filter(**{f"{self.field_path}__lt": after})
        return queryset


class ChoiceFilter(theme.DropdownFilter):
    """A dropdown of fixed choices, each with the condition that it stands for.

    Subclasses set ``title``, ``parameter_name`` and ``options``: value, label and a function from queryset to queryset.
    ``unset`` narrows the list while nothing is chosen; name that state in ``all_option``.
    """

    options: tuple[tuple[str, str, Any], ...] = ()
    unset: Any = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [(value, label) for value, label, _ in self.options]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the chosen one; an unknown choice narrows nothing."""
        for value, _, narrowed in self.options:
            if value == self.value():
                return narrowed(queryset)
        return queryset if self.unset is None else type(self).unset(queryset)


class RetiredFilter(ChoiceFilter):
    """What exists, unless what was retired is asked for. For models with ``deleted_at``."""

    title = "state"
    parameter_name = "state"
    all_option = ["", "In use"]
    options = (
        ("retired", "Retired", lambda rows: rows.filter(deleted_at__isnull=False)),
        ("all", "All", lambda rows: rows),
    )

    @staticmethod
    def unset(rows: QuerySet[Any]) -> QuerySet[Any]:
        """Leave out what was retired."""
        return rows.filter(deleted_at__isnull=True)


def _day(given: Any) -> date | None:
    try:
        return dateparse.parse_date(given) if given else None
    except ValueError:
        return None
