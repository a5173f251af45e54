"""Features in the admin: the list, the page with privileges and plans, and making, changing and retiring both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from catalog.admin.feature_forms import (
    ChangePrivilegeForm,
    ChoosePrivilegeForm,
    FeatureForm,
    NewFeatureForm,
    PrivilegeForm,
    chosen,
    options_text,
)
from catalog.admin.taxes import require_existing, state
from catalog.models import Feature, PlanEntitlement, Privilege
from catalog.queries import features as known
from catalog.services import features
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Page, Row, Table, columns
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome

PLANS = 100


class CreateFeature(ListVerb):
    """Make a feature."""

    name = "create"
    label = "New feature"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.add_feature"
    explanation = "A feature is what your product unlocks. Plans give it, with values for its privileges."
    confirm = "Save"
    form_class = NewFeatureForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        feature = features.create(
            values={name: values[name] for name in ("code", "name", "description", "privileges")},  # type: ignore[typeddict-item]
            actor=actor,
            at=at,
        )
        return Outcome(f"The feature {feature} was made. Give it to plans on their pages.", cells.page_url(feature))


class _FeatureVerb(ObjectVerb):
    permission = "catalog.change_feature"

    def check(self, *, instance: Feature, at: datetime) -> None:
        """A retired feature stays as it was."""
        require_existing(instance)


class EditFeature(_FeatureVerb):
    """Change the names of a feature."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    explanation = "Its code stays what it is: your product asks for it."
    confirm = "Save"
    form_class = FeatureForm

    def initial(self, *, instance: Feature, at: datetime) -> Mapping[str, Any]:
        """The feature as it is."""
        return {"name": instance.name, "description": instance.description}

    def perform(self, *, instance: Feature, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        content: Any = {"name": values["name"], "description": values["description"]}
        features.update(code=instance.code, values=content, actor=actor, at=at)
        return Outcome("The feature was saved.")


class AddPrivilege(_FeatureVerb):
    """Add a privilege."""

    name = "add_privilege"
    label = "Add a privilege"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    explanation = "Something that can be set of the feature: a number, a text, yes or no, or one of several options."
    confirm = "Save"
    form_class = PrivilegeForm

    def perform(self, *, instance: Feature, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Add it."""
        if any(row.code == values["code"] for row in known.privileges(instance)):
            raise errors.Invalid("validation_errors", "", {"privilege.code": ["value_already_exist"]})
        row = {
            "code": values["code"],
            "name": values["name"],
            "value_type": values["value_type"],
            "config": {"select_options": values["options"]},
        }
        features.update(code=instance.code, values={"privileges": [row]}, actor=actor, at=at)
        return Outcome(f"The privilege {values['code']} was added. Set its value on the plans that give the feature.")


class _PrivilegeVerb(_FeatureVerb):
    form_class: type[ChoosePrivilegeForm] = ChoosePrivilegeForm

    def check(self, *, instance: Feature, at: datetime) -> None:
        """There has to be one."""
        require_existing(instance)
        if not known.privileges(instance):
            raise errors.NotAllowed("no_privileges", f"{instance} has no privileges.")

    def form(self, *, data: Any, instance: Feature, at: datetime) -> ChoosePrivilegeForm:
        """The form, with the privileges of the feature."""
        return self.form_class(data, initial=self.initial(instance=instance, at=at), feature=instance)


class ChangePrivilege(_PrivilegeVerb):
    """Change the name or the options of a privilege."""

    name = "change_privilege"
    label = "Change a privilege"
    icon = "tune"
    explanation = "Its type stays what it is. An option that a plan or a subscription has cannot go."
    confirm = "Save"
    form_class = ChangePrivilegeForm

    def perform(self, *, instance: Feature, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change what was filled in."""
        row: dict[str, Any] = {"code": values["privilege"]}
        if values["name"]:
            row["name"] = values["name"]
        if values["options"]:
            row["config"] = {"select_options": values["options"]}
        features.update(code=instance.code, values={"privileges": [row]}, actor=actor, at=at)
        return Outcome("The privilege was saved.")


class RetirePrivilege(_PrivilegeVerb):
    """Retire a privilege."""

    name = "retire_privilege"
    label = "Retire a privilege"
    icon = "remove"
    explanation = "Its values are gone from all plans and subscriptions at once."
    confirm = "Retire the privilege"

    def perform(self, *, instance: Feature, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Retire it."""
        features.delete_privilege(code=instance.code, privilege_code=values["privilege"], actor=actor, at=at)
        return Outcome(f"The privilege {values['privilege']} was retired.")


class RetireFeature(_FeatureVerb):
    """Retire a feature."""

    name = "delete"
    label = "Retire"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "catalog.delete_feature"
    explanation = "It is gone from all plans and subscriptions at once: your product is told that nobody has it."
    confirm = "Retire the feature"

    def preview(self, *, instance: Feature, at: datetime) -> Sequence[Block]:
        """The plans that give it today."""
        return (given(instance),)

    def perform(self, *, instance: Feature, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Retire it."""
        features.delete(code=instance.code, actor=actor, at=at)
        return Outcome(f"The feature {instance} was retired.")


@pages.register(Feature)
class FeatureAdmin(pages.PageAdmin):
    """Features."""

    list_display = ("named", "about", "state")
    list_filter = (filters.RetiredFilter,)
    search_fields = ("name", "code", "description")
    ordering = ("name", "id")
    list_verbs = (CreateFeature(),)
    verbs = (EditFeature(), AddPrivilege(), ChangePrivilege(), RetirePrivilege(), RetireFeature())
    panels = "catalog.feature"
    empty_text = "Make one for each part of your product that not everybody has."

    @theme.display(description="Feature", ordering="name")
    def named(self, feature: Feature) -> str:
        """Name and code."""
        return cells.stack(str(feature), feature.code)

    @theme.display(description="Description")
    def about(self, feature: Feature) -> str:
        """What it is."""
        return feature.description

    @theme.display(description="State")
    def state(self, feature: Feature) -> str:
        """Whether anybody can have it."""
        return state(feature)

    def page(self, request: HttpRequest, instance: Feature) -> Page:
        """The feature, its privileges, the plans that give it, and its history."""
        facts = Facts(
            "Feature",
            (
                Fact("Name", str(instance)),
                Fact("Code", cells.code(instance.code)),
                Fact("State", state(instance)),
                Fact("Description", instance.description or cells.EMPTY),
                Fact("Made", cells.instant(instance.created_at)),
            ),
        )
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts, privileges(instance), given(instance), recent))


def privileges(feature: Feature) -> Table:
    """What can be set of a feature."""
    return Table(
        "Privileges",
        columns("Privilege", "Code", "Type", "Options"),
        tuple(Row(_privilege(row)) for row in known.privileges(feature)),
        empty="None: one has the feature or not.",
    )


def given(feature: Feature) -> Table:
    """The plans that give a feature, and with which values."""
    rows = PlanEntitlement.objects.filter(feature=feature, plan__deleted_at__isnull=True).select_related("plan")
    found = list(rows.order_by("plan__name", "pk")[:PLANS])
    values = known.of_plans([row.plan_id for row in found])
    return Table(
        "Given by",
        columns("Plan", "Values"),
        tuple(Row((cells.to(row.plan), _values(values[row.plan_id], feature.code))) for row in found),
        empty="No plan gives it yet. Give it on the page of a plan.",
    )


def _privilege(row: Privilege) -> tuple[object, ...]:
    kind = row.get_value_type_display().capitalize()
    return str(row), cells.code(row.code), kind, options_text(row.select_options) or cells.EMPTY


def _values(found: Sequence[Any], code: str) -> str:
    one = next((one for one in found if one.code == code), None)
    shown = [] if one is None else [f"{part.definition.code} {chosen(part.value)}" for part in one.privileges]
    return ", ".join(shown) or cells.EMPTY
