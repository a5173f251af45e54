"""Recurring usage that is paid in advance, at renewal: units that are still there are paid for the period that begins.

Owns which time that is, and when there is none. Events within a period are billed one by one, see `advance`.
"""

from __future__ import annotations

from billing.domain import periods
from billing.domain.standing import Due, Standing
from config.kernel.dates import Period


def coming(where: Standing, due: Due) -> Period | None:
    """Return the period of usage that begins where due usage ends: the whole natural one, nothing of it is prorated.

    Nothing where no usage is due, at a start or the end of a trial, and nothing for a subscription that ends there,
    unless another plan goes on from the end of a period: an upgrade bills events only, and so does the first period.
    """
    if due.charges.is_empty or due.is_first:
        return None
    ends = where.is_terminated and where.ends_at is not None and due.charges.end >= where.ends_at
    if (ends or due.is_last) and (where.is_upgraded or where.is_paused or not where.is_replaced):
        return None
    natural = periods.period_at(where.usage_schedule, due.charges.end)
    return Period(max(natural.period.start, due.charges.end), natural.period.end)
