"""Which custom sections invoices of wallets have, where something has its own. Owns choosing them by their codes; what
a document says of them is `section_texts`'.
"""

from __future__ import annotations

from collections.abc import Sequence

from customers.queries import custom_sections


def chosen(*, codes: Sequence[str] | None) -> list[int] | None:
    """Return the keys of custom sections by their codes, in their order; None leaves them to whom they belong to.

    Raises NotFound (`invoice_custom_section_not_found`).
    """
    return None if codes is None else [section.pk for section in custom_sections.by_codes(codes=codes)]


def first_of(*choices: Sequence[int] | None) -> tuple[int, ...] | None:
    """Return the first choice that was made, an empty one too; None where none was."""
    made = next((choice for choice in choices if choice is not None), None)
    return None if made is None else tuple(made)
