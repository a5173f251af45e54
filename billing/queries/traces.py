"""Finding how a billed line came about."""

from __future__ import annotations

from billing.models import RatedCharge
from config.kernel import errors
from invoicing.models import InvoiceLine


class TraceNotFound(errors.NotFound):
    """The line was not rated: it has no calculation to show."""


def of_line(line: InvoiceLine) -> RatedCharge:
    """Return what a line was rated from, with its subscription. Raises TraceNotFound."""
    found = RatedCharge.objects.filter(line=line).select_related("subscription").first()
    if found is None:
        raise TraceNotFound("fee_trace_not_found", "This fee was not rated from a price: it has no trace.")
    return found
