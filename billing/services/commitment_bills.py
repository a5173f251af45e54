"""Minimum commitments of due stretches: what is missing to them, and the line for it. Owns which lines count.

They come last, when everything else is rated: what the same run bills counts beside what was billed before. `bills`
composes them with the fee and the usage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from billing.domain import commitments
from billing.domain.commitments import CommitmentFacts
from billing.domain.minimums import Minimum
from billing.domain.rating import RatedItem
from billing.domain.standing import CommittedTime, Due
from billing.queries import commitments as known
from billing.queries.contracts import Contract
from billing.queries.price_lists import PriceList
from config.kernel.dates import Period


@dataclass(frozen=True, slots=True)
class Stretch:
    """A due stretch on its price list, with what it comes to without its commitment."""

    contract: Contract
    due: Due
    price_list: PriceList
    items: Sequence[RatedItem]

    @property
    def commits(self) -> bool:
        """Say whether a minimum is settled."""
        return self.due.commitment is not None and self.price_list.minimum_commitment is not None

    def window(self, time: CommittedTime) -> Period:
        """Return the interval whose lines count against the minimum of a time."""
        return commitments.window(self.contract.standing.schedule, time=time.period)


def facts(
    *, stretches: Sequence[Stretch], reads_billed: bool = True, without_periods: Collection[int] = ()
) -> list[CommitmentFacts | None]:
    """Return what is committed to and what counts against it, for each stretch, nothing where none is settled.

    Where nobody has a minimum this costs no query, else one. Without ``reads_billed`` only what the stretches come to
    themselves counts; ``without_periods`` are those computed anew here, whose lines are about to go.
    """
    settling = {number: stretch for number, stretch in enumerate(stretches) if stretch.commits}
    wanted = {
        number: (stretch.contract.subscription_id, stretch.window(stretch.due.commitment))
        for number, stretch in settling.items()
        if stretch.due.commitment is not None
    }
    before = known.billed(wanted=wanted, without_periods=without_periods) if reads_billed else {}
    # A simulation plays one subscription on two plans, each of which stands for itself.
    together: dict[int, list[RatedItem]] = defaultdict(list)
    for stretch in stretches:
        together[id(stretch.contract.standing)] += stretch.items
    found: list[CommitmentFacts | None] = []
    for number, stretch in enumerate(stretches):
        time, minimum = stretch.due.commitment, stretch.price_list.minimum_commitment
        if number not in settling or time is None or minimum is None:
            found.append(None)
            continue
        here = [
            {item.kind.value: item.amount.amount}
            for item in together[id(stretch.contract.standing)]
            if commitments.counts(time=item.period, within=stretch.window(time))
        ]
        found.append(
            CommitmentFacts(
                minimum=Minimum(minimum.amount, time.share),
                period=time.period,
                counted=commitments.together([before.get(number, {}), *here]),
                name=minimum.name,
            )
        )
    return found


def tax_ids(price_list: PriceList) -> tuple[int, ...]:
    """Return the taxes of what is missing to a minimum: the commitment's, or else the plan's."""
    minimum = price_list.minimum_commitment
    return (() if minimum is None else minimum.tax_ids) or price_list.tax_ids
