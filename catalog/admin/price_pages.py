"""What the pages of all prices of a plan version have in common. Each kind of price adds its name, verbs and page."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.models import Charge, FixedCharge
from config.platform.admin import pages, theme
from config.platform.admin.verbs import ListVerb


class PricePageAdmin(pages.PageAdmin):
    """Prices, reached from their plan."""

    list_display = ("named", "plan", "model", "price")
    list_filter = (("charge_model", theme.ChoicesDropdownFilter),)
    ordering = ("plan_version__plan__name", "-plan_version__number", "position")
    list_verbs: tuple[ListVerb, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the prices of single contracts out of the list; each has a page all the same."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return rows.filter(plan_version__base__isnull=True) if is_list else rows

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see plans."""
        return request.user.has_perm("catalog.view_plan")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep them out of the index: a price belongs to its plan."""
        return False

    @theme.display(description="Plan", ordering="plan_version__plan__name")
    def plan(self, charge: Charge | FixedCharge) -> str:
        """Plan and version."""
        return str(charge.plan_version)

    @theme.display(description="Model", ordering="charge_model")
    def model(self, charge: Charge | FixedCharge) -> str:
        """How units become an amount."""
        return charge.get_charge_model_display()
