"""What current usage leaves of wallets. Owns bringing what is open of a customer to buckets, and sharing these out to
its wallets; no tables. What is open is read by `queries.wallet_usage`, in one seller and one currency at a time.

Amounts are of the currency's minor units: nothing is rounded here but credits, which are cut off after five decimals.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from moneyed import Money

from config.kernel import money
from invoicing.domain import wallets
from invoicing.domain.wallets import Bucket, Purse

Key = tuple[str, str, str]
"""Kind of line, code of its metric (empty where it has none), and code of the only wallet that may pay it."""


@dataclass(frozen=True, slots=True)
class Ongoing:
    """What current usage holds of a wallet, and what it leaves of it, in money and in credits: also below nothing."""

    usage: Money
    balance: Money
    credits_usage: Decimal
    credits_balance: Decimal

    @property
    def is_depleted(self) -> bool:
        """Say whether nothing is left."""
        return self.balance.amount <= 0


def open_buckets(nets: Mapping[Key, Money], *, currency: str) -> list[Bucket]:
    """Return what is open, the largest first.

    A net is what usage and drafts come to, with tax, less what was billed of it; it may be negative. What is open of
    all is their sum, and never less than nothing: the positive ones share it in their order, so that what was billed
    too much of one is not asked for with another.
    """
    nothing = money.zero(currency)
    left = max(sum(nets.values(), nothing), nothing)
    found = []
    for (kind, metric, target), net in sorted(nets.items(), key=lambda item: (-item[1].amount, item[0])):
        part = min(net, left)
        if part.amount <= 0:
            break
        left -= part
        found.append(Bucket(kind=kind, metric=metric, asked=part, target=target))
    return found


def cascade(buckets: Sequence[Bucket], *, purses: Sequence[Purse], takes_all: Collection[int] = ()) -> dict[int, Money]:
    """Return how much of what is open each wallet will have to pay, by its id. ``purses`` come in their order.

    Each of those that may pay a bucket takes as much as it has. One that tops itself up (``takes_all``), or the last of
    them, takes all that remains. What no wallet may pay is left out.
    """
    if not purses:
        return {}
    nothing = money.zero(purses[0].left.currency.code)
    taken = {purse.id: nothing for purse in purses}
    for bucket in buckets:
        rest = bucket.asked
        able = [purse for purse in purses if purse.pays(bucket)]
        for purse in able:
            if purse.id in takes_all or purse is able[-1]:
                taken[purse.id] += rest
                break
            part = min(rest, max(purse.left - taken[purse.id], nothing))
            taken[purse.id] += part
            rest -= part
    return taken


def ongoing(usage: Money, *, balance: Money, credits_balance: Decimal, rate: Decimal) -> Ongoing:
    """Return what usage leaves of a wallet. ``rate`` is the money of one credit."""
    used = wallets.credits_of(usage, rate=rate)
    return Ongoing(usage=usage, balance=balance - usage, credits_usage=used, credits_balance=credits_balance - used)
