"""Reading the installation's one row."""

from __future__ import annotations

from decimal import Decimal

from config.kernel import errors
from config.platform.models import Installation


def current() -> Installation:
    """Return the installation. Raises NotFound (`organization_not_found`) before it was set up."""
    found = Installation.objects.first()
    if found is None:
        raise errors.NotFound("organization_not_found", "The installation is not set up.")
    return found


def billing_needs_sign_off() -> bool:
    """Return whether billing runs bill only what a second person signed off; not before anything was set up."""
    return Installation.objects.filter(billing_needs_sign_off=True).exists()


def late_usage_policy() -> tuple[str, Decimal | None]:
    """Return the policy for late usage and the amount below which it waives; it is held before anything was set up."""
    found = Installation.objects.values_list("late_usage_policy", "late_usage_waive_below").first()
    return found or (Installation.LateUsagePolicy.HOLD.value, None)
