"""The facts that the catalogue tells whoever listens, inside the transaction that made them true."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class FixedUnitsChanged:
    """The plan's number of units of a fixed charge is another one. ``previous`` is none where the charge is new.

    ``immediately`` says that subscriptions have them at once, else from their next period on.
    """

    key: UUID
    units: Decimal
    immediately: bool
    previous: Decimal | None = None


@dataclass(frozen=True)
class PlanVersionPublished:
    """A plan has a new price list, which is sold from now on. The first version of a plan is no news.

    ``fixed_units`` are the fixed charges that come in another number than before, and those that are new. Those who
    have the plan are billed by it from now on if it ``moves_existing``, else by what they bought; those who have own
    terms beside it only if it ``cascades``.
    """

    plan_id: int
    version_id: int
    fixed_units: tuple[FixedUnitsChanged, ...] = ()
    moves_existing: bool = True
    cascades: bool = False


@dataclass(frozen=True)
class PlanRetiring:
    """A plan is to be retired, and somebody still has it: what they bought has to end."""

    plan_id: int
