"""Which custom sections a customer or a seller has. Owns setting them by their codes; the sections are next door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.kernel import errors
from customers.models import BillingEntity, Customer
from customers.queries import custom_sections

FIELD = "invoice_custom_section_codes"
SKIP = "skip_invoice_custom_sections"


def demand(values: Mapping[str, Any]) -> None:
    """Refuse to skip all custom sections and to choose some at once. Raises Invalid."""
    if values.get(SKIP) and values.get(FIELD):
        raise errors.Invalid(
            "skip_sections_and_selected_ids_sent_together",
            "Skip all custom sections, or choose some.",
            {"invoice_custom_sections": ["skip_sections_and_selected_ids_sent_together"]},
        )


def choose(*, owner: Customer | BillingEntity, codes: Sequence[str], old: dict[str, Any], new: dict[str, Any]) -> None:
    """Make the sections of these codes the owner's, and note a difference. Raises NotFound for an unknown one."""
    before = {row.pk: row.code for row in owner.invoice_custom_sections.all() if row.deleted_at is None}
    after = {row.pk: row.code for row in custom_sections.by_codes(codes=codes)}
    if before.keys() != after.keys():
        owner.invoice_custom_sections.set(list(after))
        old[FIELD], new[FIELD] = sorted(before.values()), sorted(after.values())
