"""``cascade_updates``: whether a change of a plan reaches the contracts with own terms too, in what these did not agree
otherwise.
"""

from __future__ import annotations

from typing import Any, cast

from rest_framework.request import Request

from catalog.api.charge_forms import ChargeRequest, FilterRequest
from catalog.api.fixed_charge_forms import FixedChargeRequest
from catalog.api.plan_forms import PlanRequest
from catalog.domain import publications
from catalog.domain.publications import Publication
from catalog.services.charge_input import FilterValues
from config.platform.api import params
from config.platform.api.serializers import Flag

NAME = "cascade_updates"
_HELP = "Whether subscriptions with own terms get what they did not agree otherwise; else they stay as they are."


class PlanChange(PlanRequest):
    """Another plan, and who gets it."""

    cascade_updates = Flag(allow_null=True, help_text=_HELP)


class ChargeChange(ChargeRequest):
    """Another charge, and who gets it."""

    cascade_updates = Flag(allow_null=True, help_text=_HELP)


class FilterChange(FilterRequest):
    """Another filter, and who gets it."""

    cascade_updates = Flag(allow_null=True, help_text=_HELP)


class FixedChargeChange(FixedChargeRequest):
    """Another fixed charge, and who gets it."""

    cascade_updates = Flag(allow_null=True, help_text=_HELP)


def taken(values: dict[str, Any]) -> Publication:
    """Return what checked input says of who gets a change, and take it out of the input."""
    return publications.CASCADED if values.pop(NAME, False) else publications.FOLLOWED


def filter_values(values: dict[str, Any]) -> FilterValues:
    """Return checked input as services take a filter: what is null says nothing."""
    return cast(FilterValues, {name: value for name, value in values.items() if value is not None})


def asked(request: Request) -> Publication:
    """Return what the parameter of a request says. Raises Invalid for what is neither yes nor no."""
    return publications.CASCADED if params.flag(request, NAME) else publications.FOLLOWED
