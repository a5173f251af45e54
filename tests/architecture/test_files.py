"""Every file is small, says what it owns, and imports at its top."""

import ast
import pathlib

from tests.architecture import sources

LONGEST = 400


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {sources.name(path): len(path.read_text().splitlines()) for path in sources.files(*sources.EVERYTHING)}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
    assert len(lengths) > 20


def test_every_module_says_what_it_owns() -> None:
    silent = [
        sources.name(path)
        for path in sources.files(*sources.EVERYTHING)
        if path.read_text().strip() and not ast.get_docstring(sources.tree(path))
    ]
    assert silent == []


def test_imports_stand_at_the_top_of_the_file() -> None:
    found = [
        f"{sources.name(path)}:{node.lineno}" for path in sources.files(*sources.EVERYTHING) for node in _hidden(path)
    ]
    assert found == []


def test_imports_are_absolute() -> None:
    found = [
        f"{sources.name(path)}:{node.lineno}"
        for path in sources.files(*sources.EVERYTHING)
        for node in sources.nodes(path)
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert found == []


def _hidden(path: pathlib.Path) -> list[ast.AST]:
    """Return the imports inside functions and classes."""
    top = {id(node) for node in sources.tree(path).body}
    if all(id(node) in top for node, _ in sources.imports(path)):
        return []
    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    return [
        node
        for scope in sources.nodes(path)
        if isinstance(scope, scopes)
        for node in ast.walk(scope)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
