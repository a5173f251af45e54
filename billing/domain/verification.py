"""Whether a billed amount still follows from its stored trace. Owns the verdict and the worked sum beside it; pages and
the API only show them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.domain import trace as traces
from billing.domain import worked_sum
from billing.domain.worked_sum import Sentence
from config.kernel import errors


@dataclass(frozen=True, slots=True)
class Verification:
    """What rating again from the stored inputs gave.

    ``amount`` is in major units, rounded to the currency; nothing, as the sentences are, where the trace cannot be
    read, with the reason in ``problem``.
    """

    is_digest_right: bool
    is_amount_right: bool
    amount: Decimal | None
    sentences: Sequence[Sentence] = ()
    problem: str = ""

    @property
    def is_right(self) -> bool:
        """Say whether the trace is the one that was stored, and gives the amount that was billed."""
        return self.is_digest_right and self.is_amount_right


def verify(*, trace: Mapping[str, Any], sha256: str, amount: Decimal) -> Verification:
    """Rate again from the trace and compare with the billed amount, in major units. A bad trace raises nothing."""
    is_digest_right = traces.digest(trace) == sha256
    try:
        sentences = worked_sum.sentences(trace)
        again = traces.recompute(trace)
    except (errors.DomainError, LookupError, ArithmeticError, TypeError, ValueError) as problem:
        return Verification(is_digest_right, is_amount_right=False, amount=None, problem=str(problem))
    return Verification(is_digest_right, again == amount, again, tuple(sentences))
