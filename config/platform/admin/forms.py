"""The forms of verbs: what a person fills in before something is done. Owns their look, and putting refusals beside the
fields that they are about.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import models
from django.forms.boundfield import BoundField

from config.kernel import errors
from config.platform.admin import theme

ID = re.compile(r"[0-9]{1,18}")
WORDS = {
    "value_already_exist": "This is taken already.",
    "value_is_mandatory": "This is needed.",
    "value_is_invalid": "This is not valid.",
    "value_is_too_long": "This is too long.",
    "value_is_out_of_range": "This is out of range.",
    "unsupported_value": "This is not supported.",
    "invalid_currency": "This is not a currency.",
    "invalid_timezone": "This is not a time zone.",
    "currencies_does_not_match": "The currency does not match.",
    "not_a_valid_country_code": "This is not a country.",
    "not_a_valid_language_code": "This is not a language of documents.",
    "invalid_email_format": "This is not an e-mail address.",
    "url_is_invalid": "This is not an address that starts with http:// or https://.",
}
"""What the codes that most fields share mean; other codes are said by their own words."""

_LOOKS: dict[type[forms.Widget], type[forms.Widget]] = {
    forms.TextInput: theme.TextWidget,
    forms.EmailInput: theme.EmailWidget,
    forms.URLInput: theme.UrlWidget,
    forms.NumberInput: theme.DecimalWidget,
    forms.Textarea: theme.TextareaWidget,
    forms.Select: theme.SelectWidget,
    forms.SelectMultiple: theme.SelectMultipleWidget,
    forms.CheckboxSelectMultiple: theme.CheckboxesWidget,
    forms.DateInput: theme.DateWidget,
    forms.CheckboxInput: theme.SwitchWidget,
}


@dataclass(frozen=True)
class Kept:
    """Among the blocks of what was weighed: a figure that the press that does it is told again, in a hidden field."""

    name: str
    value: str


class VerbForm(forms.Form):
    """The form of a verb. ``sections`` arranges the fields under headings; without it they follow each other.
    Those named in ``folded`` are closed until somebody opens them.

    ``once`` is a key made when the page was shown: a service that takes one does the same thing only once, however
    often the button is pressed.

    What a verb weighs does not depend on the fields named in ``unweighed``, as far as they are no choices: they may be
    filled in after it was shown.
    """

    sections: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()
    folded: ClassVar[frozenset[str]] = frozenset()
    unweighed: ClassVar[frozenset[str]] = frozenset({"reason", "remark"})
    aliases: ClassVar[Mapping[str, str]] = {}

    once = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["once"].initial = uuid.uuid4
        for field in self.fields.values():
            _dress(field)

    def add_field(self, name: str, field: forms.Field) -> None:
        """Add a field that is only known when the form is made."""
        _dress(field)
        self.fields[name] = field

    def is_unweighed(self, name: str) -> bool:
        """Say whether a field changes nothing of what is weighed: words for the record, and the key of the page."""
        return name == "once" or (name in self.unweighed and not isinstance(self.fields[name], forms.ChoiceField))

    def keep(self, blocks: Iterable[Any]) -> list[Any]:
        """Put what was shown into its hidden fields; return the blocks that are to be seen."""
        found = list(blocks)
        self.data = self.data.copy()
        for one in found:
            if isinstance(one, Kept):
                self.data[self.add_prefix(one.name)] = one.value
        return [one for one in found if not isinstance(one, Kept)]

    def arranged(self) -> Iterator[tuple[str, list[BoundField]]]:
        """The visible fields under their headings."""
        named = {name for _, names in self.sections for name in names}
        rest = [field for field in self.visible_fields() if field.name not in named]
        if rest:
            yield "", rest
        for title, names in self.sections:
            yield title, [self[name] for name in names if name in self.fields]

    def visible_errors(self) -> list[BoundField]:
        """The fields that something is wrong with, in the order in which they are shown."""
        return [field for _, fields in self.arranged() for field in fields if field.errors]

    def refuse(self, refusal: errors.DomainError) -> None:
        """Show what a service refused beside its fields, the rest at the top.

        A refusal with words of its own is told by them; one of many fields by the code of each.
        """
        is_told = bool(refusal.message) and refusal.code != "validation_errors"
        shown = False
        for name, codes in refusal.details.items():
            field = self.aliases.get(name, name)
            if field in self.fields:
                self.add_error(field, refusal.message if is_told else [words(code) for code in codes])
                shown = True
        if not shown:
            self.add_error(None, told(refusal))


class ReasonForm(VerbForm):
    """A form that asks why."""

    reason = forms.CharField(
        label="Reason", widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept in the audit trail.", max_length=1000
    )


class SearchWidget(AutocompleteSelect):
    """A field that finds rows while one types, for a form that chooses what a relation of a model leads to.

    It finds what the admin's own list of these rows finds; whoever may not view them finds nothing.
    """

    def __init__(self, relation: models.ForeignKey) -> None:
        super().__init__(relation, admin.site, attrs={"style": "width: 100%"})

    def optgroups(self, name: str, value: list[str], attr: dict[str, Any] | None = None) -> list[Any]:
        """The chosen row; what is no key chooses nothing instead of failing the page."""
        return super().optgroups(name, [one for one in value if ID.fullmatch(str(one))], attr)


def words(code: str) -> str:
    """What a code of refused input says to a person."""
    return WORDS.get(code, f"{code.replace('_', ' ').capitalize()}.")


def told(refusal: errors.DomainError) -> str:
    """What a refusal says to a person."""
    if refusal.code == "validation_errors" and refusal.details:
        return "; ".join(f"{name}: {', '.join(codes)}".replace("_", " ") for name, codes in refusal.details.items())
    return refusal.message


def _dress(field: forms.Field) -> None:
    look = _LOOKS.get(type(field.widget))
    if look is None:
        return
    plain = field.widget
    attrs = {key: value for key, value in plain.attrs.items() if key != "class"}
    field.widget = look(attrs=attrs)
    field.widget.is_required = plain.is_required
    field.widget.is_localized = plain.is_localized
    if isinstance(field, forms.ChoiceField):
        field.widget.choices = field.choices
