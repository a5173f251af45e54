"""The columns of imports in the guide are those of the code: headings, synonyms, whether needed, and what they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from config.platform.services import import_kinds
from config.platform.services.import_kinds import ImportColumn, ImportKind

_HEAD = "| heading | name | also known as | needed | what |\n|---|---|---|---|---|\n"
_KINDS = {"text": "text", "number": "figure", "whole": "whole number", "day": "day", "yes_no": "yes or no"}


def _row(column: ImportColumn) -> str:
    what = f"{_KINDS[column.kind]}; {column.help}" if column.help else _KINDS[column.kind]
    needed = "yes" if column.is_needed else ""
    cells = (column.label, f"`{column.name}`", ", ".join(column.synonyms), needed, what.replace("|", "\\|"))
    return f"| {' | '.join(cells)} |\n"


def table(kind: ImportKind) -> str:
    """The table of a kind as the guide has it."""
    return f"### {kind.label}\n\n{_HEAD}{''.join(_row(column) for column in kind.columns)}"


@pytest.mark.parametrize("kind", import_kinds.every().values(), ids=lambda kind: kind.code)
def test_the_guide_names_the_columns(kind: ImportKind) -> None:
    guide = (Path(settings.BASE_DIR) / "docs" / "imports.md").read_text()
    assert table(kind) in guide, f"The guide should have:\n\n{table(kind)}"
