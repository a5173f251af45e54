"""The header of an object's page: what stands as a button, and what the menu has."""

from __future__ import annotations

from typing import Any

import pytest

from config.platform.admin import headers, theme, verbs

LOOK = [verbs.link("History", "/history/", "history")]
RED = theme.ActionVariant.DANGER


def verb(name: str, variant: Any = theme.ActionVariant.DEFAULT) -> dict[str, Any]:
    return {**verbs.link(name.title(), f"/{name}/", "edit"), "name": name, "variant": variant}


def titles(found: dict[str, Any], key: str) -> list[str]:
    return [button["title"] for button in found[key]]


def test_few_verbs_need_no_menu() -> None:
    found = headers.of(links=LOOK, buttons=[verb("edit"), verb("retire", RED)])
    assert (titles(found, "actions_detail"), found["actions_more"]) == (["Edit", "Retire", "History"], [])


@pytest.mark.parametrize(
    ("prominent", "shown"),
    [
        ((), ["Edit", "Copy"]),  # the first two that take nothing away
        (("send",), ["Send", "Edit"]),  # one that is named, and the first other
        (("send", "copy", "gone"), ["Send", "Copy"]),
        (("send", "copy", "edit", "retire", "sign"), ["Send", "Copy", "Edit", "Retire"]),  # no more than four
    ],
)
def test_what_people_do_most_stands(prominent: tuple[str, ...], shown: list[str]) -> None:
    every = [verb("retire", RED), verb("edit"), verb("copy"), verb("send"), verb("sign")]
    found = headers.of(links=LOOK, buttons=every, prominent=prominent)
    assert titles(found, "actions_page") == shown
    assert found["actions_detail"] == []
    hidden = {"Retire", "Edit", "Copy", "Send", "Sign", "History"} - set(shown)
    assert set(titles(found, "actions_more")) == hidden


def test_the_menu_has_groups_and_ends_with_what_takes_away() -> None:
    every = [verb("retire", RED), verb("edit"), verb("copy"), verb("send"), verb("sign")]
    found = headers.of(links=LOOK, buttons=every, prominent=("send", "copy"), groups=[("Papers", ("sign", "send"))])
    groups = [(group["title"], [one["title"] for one in group["actions"]]) for group in found["actions_groups"]]
    assert groups == [("Do", ["Edit"]), ("Papers", ["Sign"]), ("Look", ["History"]), ("", ["Retire"])]
