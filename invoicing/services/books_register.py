"""The checks of this app's books, in the order in which they are shown. Owns their registration; what each one looks at
is said where it is written.
"""

from __future__ import annotations

from config.kernel import checks
from invoicing.queries import (
    books_bookings,
    books_customers,
    books_documents,
    books_ledger,
    books_numbers,
    books_taxes,
    books_wallets,
)
from invoicing.services import books_pdfs


def register() -> None:
    """Register all of them. The models have to be loaded. Calling it again changes nothing."""
    checks.register(
        *books_ledger.CHECKS,
        books_bookings.SOURCES,
        *books_bookings.CHECKS,
        *books_customers.CHECKS,
        *books_wallets.CHECKS,
        *books_documents.CHECKS,
        *books_taxes.CHECKS,
        *books_numbers.CHECKS,
        books_pdfs.PDFS,
    )
