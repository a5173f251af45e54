"""The checks of this app's books, in the order in which they are shown. Owns their registration."""

from __future__ import annotations

from billing.queries import books_periods, books_prepaid
from billing.services import books_samples
from config.kernel import checks


def register() -> None:
    """Register all of them. Calling it again changes nothing."""
    checks.register(
        *books_prepaid.CHECKS,
        *books_periods.CHECKS,
        books_samples.TRACES,
        books_samples.USAGE,
    )
