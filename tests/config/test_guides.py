"""The guides: what they point at is there, and what they tell people to run exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core import management

from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.models import ChargeModel
from config import api, environment

ROOT = environment.BASE_DIR
GUIDES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "config").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
ROUTE = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE)(?: (?:GET|POST|PUT|PATCH|DELETE))*) (/[^`]+)`")
MAKE = re.compile(r"\bmake ((?:[a-z]+(?:-[a-z]+)* ?)+)")
COMMAND = re.compile(r"manage\.py ([a-z_]+)")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: str(guide.relative_to(ROOT)))
def test_links_lead_somewhere(guide: Path) -> None:
    links = [link for link in LINK.findall(guide.read_text(encoding="utf-8")) if "://" not in link]

    missing = [link for link in links if not (guide.parent / link).exists()]

    assert not missing


def test_targets_and_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = set(management.get_commands())
    text = "\n".join(guide.read_text(encoding="utf-8") for guide in GUIDES)

    named = {target for line in _commands(text) for run in MAKE.findall(line) for target in run.split()}

    assert {"demo", "test", "setup", "doctor"} <= named
    assert named <= targets
    assert set(COMMAND.findall(text)) <= commands


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert records
    assert [record.name for record in records if f"(decisions/{record.name})" not in listed] == []


def test_the_guide_to_the_api_says_what_is_there() -> None:
    text = (ROOT / "docs" / "api-coverage.md").read_text(encoding="utf-8")
    said = {(method, re.sub(r":\w+", ":", path)) for methods, path in ROUTE.findall(text) for method in methods.split()}

    there = {
        (method.upper(), "/" + re.sub(r"<[^>]+>", ":", str(route.pattern)))
        for app in api.urlpatterns
        for route in app.url_patterns
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(route.callback.view_class, method)
    }

    assert said - there == set(), "the guide promises what is not there"
    assert there - said == set(), "the guide does not mention what is there"


@pytest.mark.parametrize(("row", "known"), [("aggregations", Aggregation), ("charge models", ChargeModel)])
def test_the_guide_to_the_api_says_what_can_be_priced(row: str, known: type[Aggregation | ChargeModel]) -> None:
    text = (ROOT / "docs" / "api-coverage.md").read_text(encoding="utf-8")
    [there] = re.findall(rf"^\| {row} \| ([^|]*) \|", text, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", there)) == sorted(known)


def _commands(text: str) -> list[str]:
    """Return the lines of shell blocks, without comments and arguments, and what stands in backticks."""
    shell = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [line.partition("#")[0].partition("ARGS")[0].partition("&& .venv")[0] for line in shell] + re.findall(
        r"`(make [a-z -]+)`", text
    )
