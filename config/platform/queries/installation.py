"""Reading the installation's one row."""

from __future__ import annotations

from config.kernel import errors
from config.platform.models import Installation


def current() -> Installation:
    """Return the installation. Raises NotFound (`organization_not_found`) before it was set up."""
    found = Installation.objects.first()
    if found is None:
        raise errors.NotFound("organization_not_found", "The installation is not set up.")
    return found
