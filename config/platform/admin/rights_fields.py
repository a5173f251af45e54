"""The rights of API keys on pages: a choice of usual sets, a matrix of resources by reading and writing, and the same
matrix to be looked at. Owns their look; what rights there are is the service's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Row, Table
from config.platform.admin.cells import Tone
from config.platform.services import rights
from config.platform.services.rights import Rights

CHOSEN = "chosen"
PRESETS = (
    (rights.EVERYTHING, "Everything"),
    (rights.USAGE, "Send usage only"),
    (rights.READING, "Read everything, change nothing"),
    (CHOSEN, "As chosen below"),
)
_ALL_RESOURCES = "All resources, those of later versions too"


class MatrixWidget(forms.CheckboxSelectMultiple):
    """A table of boxes: a resource in each row, reading and writing beside each other."""

    input_type = None  # it is no single box: the label stands above it

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Draw the table. It is of use while "As chosen below" is chosen, and hidden by script otherwise."""
        ticked = set(value or ())
        groups = [
            (
                title,
                [
                    (label, [(action, f"{resource}:{action}") for action in rights.ACTIONS])
                    for resource, label in resources
                ],
            )
            for title, resources in _groups()
        ]
        context = {"name": name, "groups": groups, "ticked": ticked, "actions": rights.ACTIONS, "chosen": CHOSEN}
        return render_to_string("admin/platform/rights.html", context)


class RightsForm(forms.Form):
    """Fields to be inherited; `given` reads them."""

    preset = forms.ChoiceField(label="May", choices=PRESETS, initial=rights.EVERYTHING)
    matrix = forms.MultipleChoiceField(
        label="Rights",
        required=False,
        widget=MatrixWidget,
        choices=[
            (f"{resource}:{action}",) * 2 for resource in (rights.ANY, *rights.RESOURCES) for action in rights.ACTIONS
        ],
        help_text="Counts while “As chosen below” is chosen.",
    )


def check(form: forms.Form, cleaned: dict[str, Any]) -> None:
    """Read the fields into ``rights``. Boxes that would not count are refused: nobody gives everything by mistake."""
    preset, ticked = cleaned.get("preset"), cleaned.get("matrix") or []
    if preset == CHOSEN:
        if not ticked:
            form.add_error("matrix", "Choose at least one.")
        found: dict[str, list[str]] = {}
        for one in ticked:
            resource, _, action = one.partition(":")
            found.setdefault(resource, []).append(action)
        cleaned["rights"] = found
    elif ticked:
        form.add_error("preset", "Rights are chosen below: choose “As chosen below”, or none there.")
    elif preset in rights.PRESETS:
        cleaned["rights"] = rights.PRESETS[preset]


def initial(found: Rights) -> Mapping[str, Any]:
    """Return what the fields show of rights."""
    preset = rights.preset(found)
    if preset or found is None:
        return {"preset": preset or rights.EVERYTHING}
    return {"preset": CHOSEN, "matrix": [f"{name}:{action}" for name, actions in found.items() for action in actions]}


def text(found: Rights) -> str:
    """Return rights in a few words, for lists."""
    preset = rights.preset(found)
    if preset or found is None:
        return dict(PRESETS)[preset or rights.EVERYTHING]
    shown = [
        f"{_label(name)}: {' and '.join(found[name])}" for name in (rights.ANY, *rights.RESOURCES) if name in found
    ]
    return "; ".join(shown[:3]) + (f"; {len(shown) - 3} more" if len(shown) > 3 else "")


def table(found: Rights) -> Table:
    """Return rights as a table to be looked at: all resources, and what may be done with each."""
    rows: list[Row] = []
    for title, resources in _groups()[1:]:
        rows.append(Row((title, "", ""), is_group=True))
        rows += [
            Row((label, *(_mark(found, resource, action) for action in rights.ACTIONS)))
            for resource, label in resources
        ]
    return Table("Rights", blocks.columns("Resource", "Read", "Write"), tuple(rows), note=text(found))


def _groups() -> list[tuple[str, list[tuple[str, str]]]]:
    first = ("", [(rights.ANY, _ALL_RESOURCES)])
    return [first, *((title, [(name, _label(name)) for name in names]) for title, names in rights.GROUPS)]


def _label(resource: str) -> str:
    words = {rights.ANY: _ALL_RESOURCES, "api_log": "API log", "webhook_jwt_public_key": "Webhook public key"}
    return words.get(resource) or resource.replace("_", " ").capitalize()


def _mark(found: Rights, resource: str, action: str) -> object:
    may = rights.allows(found, resource=resource, action=action)
    return cells.badge("yes", Tone.GOOD) if may else cells.muted("no")


SHOWN: Sequence[str] = ("preset", "matrix")
"""The fields, in their order."""
