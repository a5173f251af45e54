"""What a plan gives of the features, on its page, and the verb that sets it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalog.admin import feature_forms
from catalog.admin.taxes import require_existing
from catalog.models import Feature, Plan
from catalog.queries import features
from catalog.services import plan_entitlements
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome


class SetPlanEntitlements(ObjectVerb):
    """Set which features a plan gives."""

    name = "entitlements"
    label = "Entitlements"
    icon = "key"
    permission = "catalog.change_plan"
    explanation = (
        "A change reaches everybody who has the plan at once, whatever its version. What was agreed with single "
        "subscriptions stays."
    )
    confirm = "Save"

    def check(self, *, instance: Plan, at: datetime) -> None:
        """There has to be a feature."""
        require_existing(instance)
        if not Feature.objects.filter(deleted_at__isnull=True).exists():
            raise errors.NotAllowed("no_features", "There are no features yet: make one first.")

    def form(self, *, data: Any, instance: Plan, at: datetime) -> VerbForm:
        """The form, with every feature there is."""
        return feature_forms.plan_form()(data, initial=feature_forms.plan_initial(instance))

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Set it."""
        asked = feature_forms.plan_values(values)
        plan_entitlements.replace(code=instance.code, asked=asked, actor=actor, at=at)
        return Outcome("The entitlements were saved.")


def table(plan: Plan) -> Table:
    """What a plan gives."""
    rows = [
        Row(
            (
                cells.stack(one.name or one.code, one.code),
                ", ".join(
                    f"{part.definition.name or part.definition.code}: {feature_forms.chosen(part.value)}"
                    for part in one.privileges
                )
                or cells.EMPTY,
            )
        )
        for one in features.of_plan(plan)
    ]
    return Table(
        "Entitlements", columns("Feature", "Values"), tuple(rows), empty="The plan gives no features of the product."
    )
