"""A minimum commitment as it comes in, made into that of a price list. Owns its identity and what it may be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID, uuid4

from catalog.services import charge_input
from catalog.services.charge_input import refused
from catalog.services.price_lists import MinimumCommitmentContent
from config.kernel import errors

FIELD = "minimum_commitment"


class CommitmentValues(TypedDict, total=False):
    """A minimum commitment as it comes in; what is absent stays as it is. ``amount_cents`` are minor units.

    ``id`` may name the one that is there. One without anything, or none, takes it away.
    """

    id: UUID | None
    amount_cents: int
    invoice_display_name: str
    tax_codes: Sequence[str]


def minimum_commitment(
    *, values: CommitmentValues | None, before: MinimumCommitmentContent | None, at: datetime
) -> MinimumCommitmentContent | None:
    """Return the minimum commitment that the values describe: new, ``before`` changed, or none for no values.

    It keeps its key while it is there. Raises NotFound for an unknown tax, or an id that is not that of ``before``,
    and Invalid with the path of what is wrong (``minimum_commitment.amount_cents``): a commitment is more than nothing.
    """
    if not values:
        return None
    wanted = values.get("id")
    if wanted is not None and (before is None or before.key != wanted):
        raise errors.NotFound("minimum_commitment_not_found", "The plan has no minimum commitment of this id.")
    cents = values.get("amount_cents", 0 if before is None else before.amount_cents)
    with charge_input.under(FIELD):
        if cents <= 0:
            code = "value_is_mandatory" if "amount_cents" not in values else "value_is_out_of_range"
            raise refused("amount_cents", code)
    name = values.get("invoice_display_name", "" if before is None else before.invoice_display_name)
    taxes = () if before is None else before.tax_ids
    if "tax_codes" in values:
        taxes = charge_input.tax_ids(values["tax_codes"])
    return MinimumCommitmentContent(
        key=uuid4() if before is None else before.key,
        amount_cents=cents,
        invoice_display_name=name,
        tax_ids=taxes,
        since=at if before is None else before.since,
    )
