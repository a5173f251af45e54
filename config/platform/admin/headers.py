"""The header of an object's page: which of its verbs stand as buttons, and the menu that has all others.

People look for the few things that they do every day: those stand by name, all others are in one place, in groups.
Owns the choice alone: which verbs a person may use, and whether the state allows them, is asked before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.platform.admin import theme

MOST_SHOWN = 4
"""As many buttons as a header has room for beside the way to the page."""

ROOM = 3
"""A page that has no more than this in all needs no menu."""

USUAL = 2
"""As many verbs stand as buttons where the page does not say which."""

LOOK = "Look"
DO = "Do"

Button = Mapping[str, Any]
Groups = Sequence[tuple[str, Sequence[str]]]


def of(
    *, links: Sequence[Button], buttons: Sequence[Button], prominent: Sequence[str] = (), groups: Groups = ()
) -> dict[str, Any]:
    """Return what the header's templates read: buttons that stand, and the groups of the menu.

    ``links`` only lead somewhere; ``buttons`` are verbs and ways elsewhere, which have names. ``prominent`` names those
    that stand, the most important first; where less of them than usual can be used, the first others do that take
    nothing away. ``groups`` gives the menu its headings and their names; what is in none comes first.
    """
    if len(links) + len(buttons) <= ROOM:
        return {"actions_detail": [*buttons, *links], "actions_page": [], "actions_more": []}
    shown = _shown(buttons, prominent)
    hidden = [button for button in buttons if button not in shown]
    menu = _menu(hidden, links, groups)
    # The theme puts its own list last: all of them stand in the page's block, so that the menu comes after them.
    return {
        "actions_detail": [],
        "actions_page": shown,
        "actions_more": [button for _, part in menu for button in part],
        "actions_menu": {"variant": theme.ActionVariant.DEFAULT},
        "actions_groups": [{"title": title if len(menu) > 1 else "", "actions": part} for title, part in menu],
    }


def _shown(buttons: Sequence[Button], prominent: Sequence[str]) -> list[Button]:
    by_name = {button["name"]: button for button in buttons}
    named = [by_name[name] for name in prominent if name in by_name][:MOST_SHOWN]
    others = [button for button in buttons if button not in named and not _takes_away(button)]
    return [*named, *others[: max(0, USUAL - len(named))]]


def _menu(hidden: Sequence[Button], links: Sequence[Button], groups: Groups) -> list[tuple[str, list[Button]]]:
    place = {name: title for title, names in groups for name in names}
    parts: dict[str, list[Button]] = {DO: []} | {title: [] for title, _ in groups} | {LOOK: [], "": []}
    for button in hidden:
        parts["" if _takes_away(button) else place.get(button["name"], DO)].append(button)
    parts[LOOK].extend(links)
    return [(title, part) for title, part in parts.items() if part]


def _takes_away(button: Button) -> bool:
    return bool(button["variant"] is theme.ActionVariant.DANGER)
