"""Filters of the list of quotes, and the few views that somebody opens every morning: mine, waiting for me, sent, about
to expire.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing.models import Quote, QuoteVersion
from billing.queries import quote_lists
from config.kernel import dates, money
from config.platform.admin import theme

State = QuoteVersion.State
VIEW = "view"
VIEWS = (
    ("", "All"),
    ("mine", "Mine"),
    ("for_me", "Waiting for me"),
    ("sent", "Sent"),
    ("expiring", "Expiring"),
)


class StateFilter(theme.DropdownFilter):
    """Quotes by the state of their newest version."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states."""
        return [(str(value), str(label)) for value, label in State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Quote]) -> QuerySet[Quote]:
        """Narrow to a state; what is none narrows nothing."""
        return quote_lists.in_states(queryset, str(self.value())) if self.value() in State.values else queryset


class CurrencyFilter(theme.DropdownFilter):
    """Quotes by their currency."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The currencies that quotes have."""
        found = QuoteVersion.objects.order_by("currency").values_list("currency", flat=True).distinct()
        return [(code, code) for code in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Quote]) -> QuerySet[Quote]:
        """Narrow to a currency; what is none narrows nothing."""
        if self.value() not in money.currencies():
            return queryset
        versions = QuoteVersion.objects.filter(quote=OuterRef("pk"), currency=self.value())
        return queryset.filter(Exists(versions))


class ViewFilter(theme.DropdownFilter):
    """The views that stand above the list as a switch."""

    title = "view"
    parameter_name = VIEW

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The views."""
        return [(name, label) for name, label in VIEWS if name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Quote]) -> QuerySet[Quote]:
        """Narrow to what the signed-in person looks for."""
        match self.value():
            case "mine":
                return queryset.filter(owner=request.user.pk)
            case "for_me":
                return quote_lists.waiting_for(queryset, person=request.user)  # type: ignore[arg-type] # signed in
            case "sent":
                return quote_lists.in_states(queryset, State.SENT)
            case "expiring":
                today = dates.local_date(timezone.now(), timezone.get_current_timezone())  # type: ignore[arg-type]
                return quote_lists.expiring(queryset, today=today)
        return queryset


def switch(request: HttpRequest) -> list[dict[str, Any]]:
    """The views above the list: where each leads, and which one is on. Other filters stay as they are."""
    chosen = request.GET.get(VIEW, "")
    found = []
    for name, label in VIEWS:
        query = request.GET.copy()
        query.pop(VIEW, None)
        query.pop("p", None)
        if name:
            query[VIEW] = name
        found.append({"label": label, "url": f"?{query.urlencode()}", "is_on": name == chosen})
    return found
