"""The usage of running periods there and here, side by side. Owns comparing the two figures of each subscription; it
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.importing import comparing
from config.importing.house import Refused
from config.importing.kinds import Journey
from config.importing.source import quoted

_USAGE = "customer_usage"
_COMPARED = ("from_datetime", "to_datetime", "currency", "amount_cents")


@dataclass(frozen=True, slots=True)
class Compared:
    """The running usage of a subscription, net and in minor units. ``differences`` says where the two differ; here is
    None where this installation shows none.
    """

    external_id: str
    there: int | None
    here: int | None
    differences: tuple[comparing.Difference, ...]

    def __str__(self) -> str:
        figures = f"{self.external_id}: {_figure(self.there)} there, {_figure(self.here)} here"
        return figures + "".join(f"\n    {one.field}: {one.theirs} there, {one.ours} here" for one in self.differences)


def compare(journey: Journey) -> Iterator[Compared]:
    """Yield every active subscription there with its usage of the running period there and here, without taxes.

    Raises Unreadable.
    """
    for row in journey.lago.rows("subscriptions", **{"status[]": "active"}):
        buyer, bought = row["external_customer_id"], row["external_id"]
        asked = {"external_subscription_id": bought, "apply_taxes": "false"}
        theirs = (journey.lago.find(f"customers/{quoted(buyer)}/current_usage", **asked) or {}).get(_USAGE)
        try:
            ours = journey.house.ask("GET", f"customers/{buyer}/current_usage", query=asked)[_USAGE]
        except Refused:
            ours = None
        found = comparing.differences(_shape(theirs), _shape(ours)) if theirs and ours else []
        yield Compared(bought, theirs and theirs["amount_cents"], ours and ours["amount_cents"], tuple(found))


def _shape(usage: Any) -> dict[str, Any]:
    charges = {
        (one["charge"].get("code") or one["billable_metric"]["code"]): {
            "units": one["units"],
            "amount_cents": one["amount_cents"],
        }
        for one in usage["charges_usage"]
    }
    return {**{name: usage[name] for name in _COMPARED}, "charges": charges}


def _figure(amount: int | None) -> str:
    return "nothing" if amount is None else str(amount)
