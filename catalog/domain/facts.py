"""The facts that the catalogue tells whoever listens, inside the transaction that made them true."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlanVersionPublished:
    """A plan has a new price list, by which is billed from now on. The first version of a plan is no news."""

    plan_id: int
    version_id: int
