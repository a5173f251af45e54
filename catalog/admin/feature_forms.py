"""The forms of features: declaring privileges, and setting their values for a plan. What is valid, the domain says."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from catalog.domain.privileges import MAX_INTEGER, MAX_TEXT, Definition, Value, ValueType
from catalog.models import Feature, Plan, Privilege
from catalog.queries import features
from config.platform.admin.forms import VerbForm

YES_NO = [("", "not set"), ("true", "yes"), ("false", "no")]


class FeatureForm(VerbForm):
    """How a feature is called."""

    name = forms.CharField(max_length=255, required=False)
    description = forms.CharField(max_length=600, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class NewFeatureForm(FeatureForm):
    """A new feature with its privileges."""

    sections = (("Feature", ("name", "code", "description")), ("What can be set of it", ("privileges",)))
    aliases = {f"privilege.{name}": "privileges" for name in ("code", "name", "value_type", "config")}

    code = forms.CharField(max_length=255, help_text="By which your product asks for it.")
    privileges = forms.CharField(
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 4, "placeholder": "max: integer\nroot: boolean\nsso: select google, okta"}
        ),
        help_text="One in each line: “max: integer”, “note: string”, “root: boolean”, “sso: select google, okta”. More "
        "can be added later.",
    )

    def clean_privileges(self) -> list[dict[str, Any]]:
        """Lines of “code: type options” as the service takes them."""
        found = []
        for line in self.cleaned_data["privileges"].splitlines():
            if not line.strip():
                continue
            code, colon, rest = line.rpartition(":")
            kind, _, options = rest.strip().partition(" ")
            if not colon or not code.strip() or kind not in set(ValueType):
                raise forms.ValidationError(f"“{line.strip()}” is not of the form “code: type”.")
            found.append({"code": code.strip(), "value_type": kind, "config": {"select_options": split(options)}})
        return found


class PrivilegeForm(VerbForm):
    """A new privilege."""

    aliases = {f"privilege.{name}": name for name in ("code", "name", "value_type")} | {"privilege.config": "options"}

    code = forms.CharField(max_length=255, help_text="By which your product asks for it.")
    name = forms.CharField(max_length=255, required=False)
    value_type = forms.ChoiceField(label="Type", choices=Privilege.ValueType.choices)
    options = forms.CharField(required=False, help_text="For “one of”: the options, with commas between them.")

    def clean_options(self) -> list[str]:
        """The options one by one."""
        return split(self.cleaned_data["options"])


class ChoosePrivilegeForm(VerbForm):
    """One of the privileges of a feature."""

    privilege = forms.ChoiceField()

    def __init__(self, *args: Any, feature: Feature, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(row.code, f"{row} ({row.code})" if row.name else row.code) for row in features.privileges(feature)]
        self.fields["privilege"].choices = choices
        self.fields["privilege"].widget.choices = choices


class ChangePrivilegeForm(ChoosePrivilegeForm):
    """What may change of a privilege."""

    aliases = {"privilege.name": "name", "privilege.config": "options"}

    name = forms.CharField(max_length=255, required=False, help_text="Empty: as it is.")
    options = forms.CharField(
        required=False, help_text="Of “one of”: all options, with commas between them. Empty: as they are."
    )

    def clean_options(self) -> list[str]:
        """The options one by one."""
        return split(self.cleaned_data["options"])


def split(text: str) -> list[str]:
    """Read options with commas between them; one that has a comma itself stands in quotes."""
    rows = list(csv.reader([text], skipinitialspace=True)) if text.strip() else []
    return [one.strip() for one in rows[0] if one.strip()] if rows else []


def options_text(options: Sequence[str]) -> str:
    """Write options as `split` reads them."""
    return ", ".join(f'"{one}"' if "," in one else one for one in options)


def chosen(value: Value | None) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def field(definition: Definition) -> forms.Field:
    """Return the field in which a value of the privilege is set; empty is no value."""
    label = definition.name or definition.code
    if definition.value_type == ValueType.INTEGER:
        return forms.IntegerField(label=label, required=False, min_value=-MAX_INTEGER, max_value=MAX_INTEGER)
    if definition.value_type == ValueType.BOOLEAN:
        return forms.ChoiceField(label=label, required=False, choices=YES_NO)
    if definition.value_type == ValueType.SELECT:
        choices = [("", "not set"), *((one, one) for one in definition.options)]
        return forms.ChoiceField(label=label, required=False, choices=choices)
    return forms.CharField(label=label, required=False, max_length=MAX_TEXT)


def plan_form() -> type[VerbForm]:
    """Return the form of all features that a plan could give, each with its privileges."""
    fields: dict[str, Any] = {}
    sections: list[tuple[str, tuple[str, ...]]] = []
    for feature in features.listed().order_by("name", "id"):
        names = [f"feature_{feature.pk}"]
        fields[names[0]] = forms.BooleanField(label="Given", required=False)
        for row in feature.existing:
            names.append(f"privilege_{row.pk}")
            fields[names[-1]] = field(features.definition(row))
        sections.append((str(feature), tuple(names)))
    return type(VerbForm)("PlanFeaturesForm", (VerbForm,), {**fields, "sections": tuple(sections)})


def plan_initial(plan: Plan) -> Mapping[str, Any]:
    """What a plan gives, as the form shows it."""
    initial: dict[str, Any] = {}
    for row in features.given(plan):
        initial[f"feature_{row.feature_id}"] = True
        for one in row.existing:
            value = one.value
            initial[f"privilege_{one.privilege_id}"] = str(value).lower() if isinstance(value, bool) else value
    return initial


def plan_values(cleaned: Mapping[str, Any]) -> dict[str, dict[str, object]]:
    """The filled-in form as the service takes it: what is not set is left out."""
    asked: dict[str, dict[str, object]] = {}
    for feature in features.listed():
        if not cleaned.get(f"feature_{feature.pk}"):
            continue
        values = {row.code: cleaned.get(f"privilege_{row.pk}") for row in feature.existing}
        asked[feature.code] = {code: value for code, value in values.items() if value not in (None, "")}
    return asked
