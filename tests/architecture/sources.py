"""The project's Python files, parsed once. Owns which files count as ours; the rules are in the tests."""

import ast
import functools
import pathlib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = ("billing", "catalog", "config", "customers", "invoicing")
EVERYTHING = (*PRODUCT, "tests", "benchmarks", ".ci", "scripts")


@functools.cache
def files(*folders: str) -> list[pathlib.Path]:
    """Return the Python files below the folders, without migrations, in a stable order."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts and "__pycache__" not in path.parts)


@functools.cache
def tree(path: pathlib.Path) -> ast.Module:
    """Return the parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def nodes(path: pathlib.Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a file, found once however many rules look at them."""
    return tuple(ast.walk(tree(path)))


@functools.cache
def name(path: pathlib.Path) -> str:
    """Return the file's path as people write it."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def calls(path: pathlib.Path) -> tuple[tuple[str, ast.Call], ...]:
    """Return every call of a file with the dotted name of what is called, as far as that is a plain name."""
    return tuple((dotted(node.func), node) for node in nodes(path) if isinstance(node, ast.Call))


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for such an expression; what cannot be named becomes `?`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


def strings(path: pathlib.Path) -> list[str]:
    """Return the texts of a file, the fixed parts of f-strings included, without docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in nodes(path)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def imports(path: pathlib.Path) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every imported module or object of a file by its full dotted name."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
