"""The versions of a plan on its page: what is sold, was sold and will be, each with its prices; and withdrawing one
that waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from catalog.admin import charge_forms, prices
from catalog.models import Plan, PlanVersion
from catalog.queries import versions as known
from catalog.queries.versions import Standing
from catalog.services import versions
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ObjectVerb, Outcome

_STANDINGS = {
    Standing.CURRENT: ("on sale", Tone.GOOD),
    Standing.SCHEDULED: ("scheduled", Tone.INFO),
    Standing.WITHDRAWN: ("withdrawn", Tone.NEUTRAL),
}


class WithdrawVersion(ObjectVerb):
    """Take back a version that is not sold yet."""

    name = "withdraw_version"
    label = "Withdraw version"
    icon = "event_busy"
    permission = "catalog.change_plan"
    explanation = "The plan is sold as it is now. The version stays on record."
    confirm = "Withdraw the version"
    form_class = ReasonForm

    def check(self, *, instance: Plan, at: datetime) -> None:
        """There has to be one."""
        if known.scheduled(instance) is None:
            raise errors.NotAllowed("no_scheduled_version", "No version waits to be sold.")

    def preview(self, *, instance: Plan, at: datetime) -> Sequence[Block]:
        """What is taken back."""
        waiting = known.of_plan(instance).filter(is_scheduled=True).first()
        return () if waiting is None else (*notes([waiting]), *prices_of(waiting))

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Withdraw it."""
        waiting = known.scheduled(instance)
        if waiting is None:
            raise errors.NotAllowed("no_scheduled_version", "No version waits to be sold.")
        versions.withdraw(code=instance.code, number=waiting.number, reason=values["reason"], actor=actor, at=at)
        return Outcome(f"Version {waiting.number} was withdrawn.")


def notes(found: Sequence[PlanVersion]) -> Iterator[Block]:
    """What is to come."""
    for version in found:
        if version.is_scheduled and version.effective_at is not None:
            moment = cells.instant_text(version.effective_at)
            yield Note(f"Version {version.number} is sold from {moment} on: {prices.fee(version)}.", Tone.INFO)


def since(version: PlanVersion) -> str:
    """The number of a version and since when it is sold: "3, since 1 Feb 2027"."""
    return f"{version.number}, since {cells.day_of(version.effective_at or version.created_at)}"


def table(found: Sequence[PlanVersion], action: object = "") -> Table:
    """The versions of a plan; each line opens to its prices."""
    rows = [
        Row(
            (
                f"Version {version.number}",
                cells.instant(version.created_at),
                cells.instant(version.effective_at or version.created_at),
                "moved to it" if version.moves_existing else "kept theirs",
                cells.money(version.amount),
                cells.number(len(version.charges.all())),
                _badge(version),
            ),
            details=prices_of(version),
        )
        for version in found
    ]
    labels = columns("Version", "Published", "Sold from", "Subscriptions", "Fee#", "Usage prices#", "")
    return Table("Versions", labels, tuple(rows), action=action)


def _badge(version: PlanVersion) -> object:
    words, tone = _STANDINGS.get(known.standing(version), ("", Tone.NEUTRAL))
    return cells.badge(words, tone) if words else ""


def prices_of(version: PlanVersion) -> tuple[Block, ...]:
    """All prices of a version but the fee."""
    return price_list(version), fixed_list(version)


def price_list(version: PlanVersion) -> Table:
    """The prices of a version: each line opens to its table of tiers."""
    rows = [
        Row(
            (
                cells.stack(cells.to(charge, charge.invoice_display_name or charge.metric.name), charge.metric.code),
                charge.get_charge_model_display(),
                prices.of_charge(charge, version.currency),
                charge_forms.WHEN_WORDS[charge_forms.when(charge)],
                prices.taxes(charge, version),
            ),
            details=(prices.table(charge, version.currency),),
        )
        for charge in version.charges.all()
    ]
    return Table(
        "Prices for usage",
        columns("Metric", "Model", "Price", "Billed", "Taxes"),
        tuple(rows),
        empty="No prices for usage: the plan is its fee alone. Add a price to bill a metric.",
    )


def fixed_list(version: PlanVersion) -> Table:
    """The add-ons that come with a version in a number that is agreed: each line opens to its table of tiers."""
    rows = [
        Row(
            (
                cells.stack(cells.to(charge, charge.invoice_display_name or charge.add_on.name), charge.code),
                charge.get_charge_model_display(),
                prices.of_fixed_charge(charge, version.currency),
                "in advance" if charge.pay_in_advance else "when the period is over",
                prices.taxes(charge, version),
            ),
            details=(prices.fixed_table(charge, version.currency),),
        )
        for charge in version.fixed_charges.all()
    ]
    return Table(
        "Fixed charges",
        columns("Add-on", "Model", "Units and price", "Billed", "Taxes"),
        tuple(rows),
        empty="No fixed charges. Add one to bill an agreed number of an add-on, such as seats.",
    )
