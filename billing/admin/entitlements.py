"""What a subscription may use, on its page, and the verb by which staff agree something else than the plan gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.models import Subscription, SubscriptionEntitlement
from billing.queries import entitlements as known
from billing.services import entitlements
from billing.services.entitlements import Terms
from catalog.domain.entitlements import Entitlement, Granted
from catalog.domain.privileges import MAX_INTEGER, MAX_TEXT, Definition, Value, ValueType
from catalog.models import Feature
from catalog.queries import features
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome

AS_PLAN, GIVEN, NOT_GIVEN = "", "yes", "no"
MODES = [(AS_PLAN, "as the plan has it"), (GIVEN, "yes"), (NOT_GIVEN, "no")]
ENDED = (Subscription.Status.TERMINATED, Subscription.Status.CANCELED)


class AgreeFeatures(ObjectVerb):
    """Agree on features with one subscription."""

    name = "entitlements"
    label = "Entitlements"
    icon = "key"
    permission = "billing.change_subscription"
    explanation = (
        "What is agreed here counts in place of what the plan gives, for this subscription alone. It stays when the "
        "plan changes and during a pause, and ends with the subscription. Empty values are the plan's."
    )
    confirm = "Save"

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """What is over has nothing to agree on, and there has to be a feature."""
        if instance.status in ENDED:
            raise errors.NotAllowed("subscription_not_active", f"{instance} is {instance.get_status_display()}.")
        if not Feature.objects.filter(deleted_at__isnull=True).exists():
            raise errors.NotAllowed("no_features", "There are no features yet: make one first.")

    def form(self, *, data: Any, instance: Subscription, at: datetime) -> VerbForm:
        """The form, with every feature there is."""
        return _form(instance)(data, initial=_initial(instance))

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What it has now."""
        return (table(instance),)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Agree it."""
        terms = [_terms(feature, values) for feature in features.listed()]
        entitlements.agree(subscription_id=instance.pk, terms=terms, actor=actor, at=at)
        return Outcome("The entitlements were saved.")


def table(subscription: Subscription) -> Table:
    """What the customer may use, with what the plan says where something else was agreed."""
    found = known.of_subscriptions([subscription.pk])[subscription.pk]
    of_plan = {one.code for one in features.of_plan(subscription.plan_version.plan)}
    return Table(
        "Entitlements",
        columns("Feature", "Values", "Agreed with this subscription"),
        tuple(Row(_row(one, of_plan)) for one in found),
        empty="It may use no features of the product that are kept here.",
    )


def blocks(subscription: Subscription) -> tuple[Block, ...]:
    """What the page of a subscription shows: what it has, and what of its plan it does not have."""
    shown = table(subscription)
    gone = _gone(subscription)
    if not gone:
        return (shown,)
    return (shown, Note(f"Of its plan it does not have: {', '.join(gone)}.", Tone.INFO))


def _gone(subscription: Subscription) -> list[str]:
    """Name what was taken from the subscription although its plan gives it."""
    held = {
        (one.code, granted.definition.code)
        for one in known.of_subscriptions([subscription.pk])[subscription.pk]
        for granted in one.privileges
    }
    codes = {one.code for one in known.of_subscriptions([subscription.pk])[subscription.pk]}
    found = []
    for one in features.of_plan(subscription.plan_version.plan):
        if one.code not in codes:
            found.append(one.name or one.code)
            continue
        gone = [part.definition for part in one.privileges if (one.code, part.definition.code) not in held]
        found += [f"{one.name or one.code}: {part.name or part.code}" for part in gone]
    return found


def _row(one: Entitlement, of_plan: set[str]) -> tuple[object, ...]:
    values = ", ".join(f"{_name(part.definition)}: {_chosen(part.value)}" for part in one.privileges)
    agreed = [_agreed(part) for part in one.privileges if part.override is not None]
    if one.code not in of_plan:
        agreed.insert(0, "the feature itself")
    return cells.stack(one.name or one.code, one.code), values or cells.EMPTY, ", ".join(agreed) or cells.EMPTY


def _agreed(part: Granted) -> str:
    plan = "nothing" if part.plan_value is None else _chosen(part.plan_value)
    return f"{_name(part.definition)} (the plan: {plan})"


def _name(definition: Definition) -> str:
    return definition.name or definition.code


def _chosen(value: Value | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _form(subscription: Subscription) -> type[VerbForm]:
    given = {
        one.code: {part.definition.code: part.value for part in one.privileges}
        for one in features.of_plan(subscription.plan_version.plan)
    }
    fields: dict[str, Any] = {}
    sections: list[tuple[str, tuple[str, ...]]] = []
    for feature in features.listed().order_by("name", "id"):
        plan = given.get(feature.code)
        hint = "The plan gives it." if plan is not None else "The plan does not give it."
        names = [f"feature_{feature.pk}"]
        fields[names[0]] = forms.ChoiceField(label="Given", required=False, choices=MODES, help_text=hint)
        for row in feature.existing:
            value = (plan or {}).get(row.code)
            names.append(f"privilege_{row.pk}")
            text = "The plan sets nothing." if value is None else f"The plan: {_chosen(value)}."
            fields[names[-1]] = _field(features.definition(row), text)
        removable = [(str(row.pk), str(row)) for row in feature.existing if row.code in (plan or {})]
        if removable:
            names.append(f"without_{feature.pk}")
            fields[names[-1]] = forms.MultipleChoiceField(
                label="Without", required=False, choices=removable, widget=forms.CheckboxSelectMultiple
            )
        sections.append((str(feature), tuple(names)))
    return type(VerbForm)("FeaturesForm", (VerbForm,), {**fields, "sections": tuple(sections)})


def _field(definition: Definition, hint: str) -> forms.Field:
    told: dict[str, Any] = {"label": _name(definition), "required": False, "help_text": hint}
    if definition.value_type == ValueType.INTEGER:
        return forms.IntegerField(**told, min_value=-MAX_INTEGER, max_value=MAX_INTEGER)
    if definition.value_type == ValueType.BOOLEAN:
        return forms.ChoiceField(**told, choices=[("", "as the plan has it"), ("true", "yes"), ("false", "no")])
    if definition.value_type == ValueType.SELECT:
        options = [(one, one) for one in definition.options]
        return forms.ChoiceField(**told, choices=[("", "as the plan has it"), *options])
    return forms.CharField(**told, max_length=MAX_TEXT)


def _initial(subscription: Subscription) -> Mapping[str, Any]:
    rows = SubscriptionEntitlement.objects.filter(subscription_id=known.first(subscription))
    of_plan = {one.code for one in features.of_plan(subscription.plan_version.plan)}
    initial: dict[str, Any] = {}
    for row in rows.select_related("feature").prefetch_related("privileges"):
        beside = GIVEN if row.feature.code not in of_plan else AS_PLAN
        initial[f"feature_{row.feature_id}"] = NOT_GIVEN if row.is_removed else beside
        for one in row.privileges.all():
            if one.is_removed:
                initial.setdefault(f"without_{row.feature_id}", []).append(str(one.privilege_id))
            else:
                value = one.value
                initial[f"privilege_{one.privilege_id}"] = str(value).lower() if isinstance(value, bool) else value
    return initial


def _terms(feature: Any, cleaned: Mapping[str, Any]) -> Terms:
    mode = cleaned.get(f"feature_{feature.pk}", AS_PLAN)
    values = {row.code: cleaned.get(f"privilege_{row.pk}") for row in feature.existing}
    without = set(cleaned.get(f"without_{feature.pk}", ()))
    return Terms(
        feature_code=feature.code,
        is_given={AS_PLAN: None, GIVEN: True, NOT_GIVEN: False}.get(mode),
        values={} if mode == NOT_GIVEN else {code: value for code, value in values.items() if value not in (None, "")},
        without=[row.code for row in feature.existing if str(row.pk) in without],
    )
