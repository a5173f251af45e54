"""What waits for an invoice beside its own lines: differences of corrected lines, then late usage. Owns their order on
the invoice; what they are is `owed_lines`' and `late_usage_lines`'.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from billing.models import LateUsage, OwedLine
from billing.services import late_usage_lines, owed_lines
from billing.services.late_usage_lines import Owner, Placed
from billing.services.owed_lines import Owed
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.services.invoices import Drafted


@dataclass(frozen=True)
class Placement:
    """What an invoice takes of what waits."""

    owed: Sequence[Owed] = ()
    late: Sequence[Placed] = ()

    @property
    def lines(self) -> list[LineSpec]:
        """Return its lines, in their order after all others."""
        return [*(one.line for one in self.owed), *(one.line for one in self.late)]


@dataclass(frozen=True)
class Waiting:
    """What a draft may take."""

    owed: Sequence[OwedLine] = field(default_factory=list)
    late: Sequence[LateUsage] = field(default_factory=list)


NOTHING = Waiting()


def added(*, specs: Sequence[InvoiceSpec], owners: Sequence[Owner]) -> tuple[list[InvoiceSpec], list[Placement]]:
    """Put what waits on these invoices, each owner's on the first one of its own. `record` has to follow."""
    specs, owed = owed_lines.added(specs=specs, owners=owners)
    specs, late = late_usage_lines.added(specs=specs, owners=owners)
    return specs, [Placement(*pair) for pair in zip(owed, late, strict=True)]


def owed(*, owners: Sequence[Owner], served: Collection[Owner]) -> set[Owner]:
    """Return which of these owners of invoices need one for what waits, beside those that are ``served`` anyway."""
    if not owners:
        return set()
    customer_ids = {owner[0] for owner in owners}
    found = late_usage_lines.owed(customer_ids=customer_ids)
    left = owed_lines.keys(customer_ids=customer_ids) - {owed_lines.key(owner) for owner in served}
    for owner in owners:
        if owed_lines.key(owner) in left:
            left.discard(owed_lines.key(owner))
            found.add(owner)
    return found


def of_drafts(*, invoice_ids: Collection[int]) -> dict[int, Waiting]:
    """Return what waits by the draft that takes it."""
    owed = owed_lines.of_drafts(invoice_ids=invoice_ids)
    late = late_usage_lines.of_drafts(invoice_ids=invoice_ids)
    return {one: Waiting(owed.get(one, ()), late.get(one, ())) for one in {*owed, *late}}


def placed(*, waiting: Waiting, lines: Sequence[LineSpec]) -> Placement:
    """Return what an invoice of these lines takes."""
    found = owed_lines.placed(waiting.owed)
    late = late_usage_lines.placed(rows=waiting.late, lines=[*lines, *(one.line for one in found)])
    return Placement(found, late)


def record(*, drafted: Sequence[tuple[Drafted, Placement]], at: datetime) -> None:
    """Write down which line bills what. These are the last lines of their invoices."""
    for draft, placement in drafted:
        end = len(draft.lines) - len(placement.late)
        owed_lines.record(owed=placement.owed, lines=draft.lines[end - len(placement.owed) : end], at=at)
    late_usage_lines.record(drafted=[(draft, placement.late) for draft, placement in drafted], at=at)


def detach(*, invoice_ids: Collection[int], at: datetime) -> None:
    """Take what waits off drafts whose lines are about to be replaced."""
    owed_lines.detach(invoice_ids=invoice_ids, at=at)
    late_usage_lines.detach(invoice_ids=invoice_ids, at=at)


def release(*, invoice_id: int, at: datetime) -> None:
    """Let what a voided draft would have billed wait for another invoice. Idempotent."""
    owed_lines.release(invoice_id=invoice_id, at=at)
    late_usage_lines.release(invoice_id=invoice_id, at=at)
