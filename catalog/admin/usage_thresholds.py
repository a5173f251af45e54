"""Usage thresholds of a plan on its page, and the verb that sets them in its next version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalog.admin import charges, publishing
from catalog.admin.publishing import PublishForm
from catalog.admin.taxes import require_existing
from catalog.models import Plan, PlanVersion
from catalog.queries import plans as known_plans
from catalog.services import plans
from catalog.services.plans import PlanValues
from config.kernel import money
from config.kernel.actors import Actor
from config.platform.admin import cells, threshold_fields
from config.platform.admin.blocks import Row, Table, columns
from config.platform.admin.verbs import ObjectVerb, Outcome


class ThresholdForm(threshold_fields.ThresholdFields, PublishForm):
    """The amounts, and from when on the version with them is sold."""

    sections = (("Thresholds", ("thresholds", "step")), publishing.SECTION)
    aliases = {**threshold_fields.ALIASES, **publishing.ALIASES}

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        """Read the amounts."""
        cleaned = super().clean() or self.cleaned_data
        threshold_fields.check(self, cleaned, currency=self.currency)
        return cleaned


class SetThresholds(ObjectVerb):
    """Set the usage thresholds of a plan."""

    name = "usage_thresholds"
    label = "Usage thresholds"
    icon = "speed"
    permission = "catalog.change_plan"
    explanation = charges.VERSION_NOTE
    confirm = "Publish the new version"

    def check(self, *, instance: Plan, at: datetime) -> None:
        """A retired plan stays as it was."""
        require_existing(instance)

    def form(self, *, data: Any, instance: Plan, at: datetime) -> ThresholdForm:
        """The thresholds as they are."""
        version = known_plans.by_code(code=instance.code)
        rows = version.usage_thresholds.all()
        start = threshold_fields.initial(rows, currency=version.currency)
        return ThresholdForm(data, initial=start, currency=version.currency)

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Publish a version with them."""
        content = PlanValues(usage_thresholds=values["threshold_values"])
        plans.update(
            code=instance.code, values=content, publication=publishing.chosen(values, at=at), actor=actor, at=at
        )
        return Outcome("The thresholds were saved.")


def table(version: PlanVersion) -> Table:
    """The thresholds of a version."""
    rows = [
        Row(
            (
                row.name or cells.EMPTY,
                "again and again beyond the highest" if row.recurring else "once",
                cells.money(money.from_minor(row.amount_cents, version.currency)),
            )
        )
        for row in version.usage_thresholds.all()
    ]
    return Table(
        "Usage thresholds",
        columns("Name", "Passed", "Usage since the first day#"),
        tuple(rows),
        empty="No thresholds: usage is billed when its period is over.",
    )
