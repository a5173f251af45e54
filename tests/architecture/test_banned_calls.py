"""Calls that lose cents or read the wrong clock. The kernel alone may round and make dates; the clock is Django's.

Outside the kernel nothing rounds with `round()`, leaves decimals through `float()`, or quantises. `timezone.now()` is
read in the interfaces only and passed down. The database's clock would ignore the one that tests and simulations move.
"""

import pathlib

import pytest

from tests.architecture import sources

BANNED = {
    "round": "config.kernel.money rounds",
    "float": "amounts are Decimal",
    "datetime.now": "pass `at` down",
    "datetime.datetime.now": "pass `at` down",
    "datetime.utcnow": "pass `at` down",
    "datetime.datetime.utcnow": "pass `at` down",
    "datetime.today": "pass `as_of` down",
    "date.today": "pass `as_of` down",
    "datetime.date.today": "pass `as_of` down",
    "Now": "the database's clock",
    "functions.Now": "the database's clock",
}
KERNEL = "config/kernel/"
CLOCK_READERS = ("admin", "api", "portal", "tasks.py", "management")
INNER_APPS = ("billing", "catalog", "customers", "invoicing")


@pytest.mark.parametrize("called", sorted(BANNED))
def test_nobody_calls(called: str) -> None:
    found = [
        f"{sources.name(path)}:{node.lineno}"
        for path in _ours()
        for name, node in sources.calls(path)
        if name == called
    ]
    assert found == [], BANNED[called]


def test_nobody_quantises_outside_the_kernel() -> None:
    found = [
        f"{sources.name(path)}:{node.lineno}"
        for path in _ours()
        for name, node in sources.calls(path)
        if name.endswith(".quantize") and not name.endswith("money.quantize")
    ]
    assert found == []


def test_no_field_follows_the_clock_by_itself() -> None:
    found = [
        f"{sources.name(path)}:{node.lineno}"
        for path in _ours()
        for _, node in sources.calls(path)
        if {keyword.arg for keyword in node.keywords} & {"auto_now", "auto_now_add"}
    ]
    assert found == []


def test_no_statement_reads_the_database_clock() -> None:
    spellings = ("now()", "current_timestamp", "clock_timestamp()", "localtimestamp", "statement_timestamp()")
    found = [
        f"{sources.name(path)}: {spelling}"
        for path in _ours()
        if sources.name(path) != "config/diagnosis.py"  # compares the two clocks
        for text in _sql(path)
        for spelling in spellings
        if spelling in text
    ]
    assert found == []


def test_the_clock_is_read_in_interfaces_only() -> None:
    found = [
        f"{sources.name(path)}:{node.lineno}"
        for path in sources.files(*INNER_APPS)
        if not set(CLOCK_READERS) & set(path.parts)
        for name, node in sources.calls(path)
        if name in {"timezone.now", "timezone.localdate", "timezone.localtime", "now"}
    ]
    assert found == []


def _ours() -> list[pathlib.Path]:
    return [path for path in sources.files(*sources.PRODUCT) if not sources.name(path).startswith(KERNEL)]


def _sql(path: pathlib.Path) -> list[str]:
    """Return the texts of a file that look like SQL, in lower case."""
    texts = [text.lower() for text in sources.strings(path)]
    return [text for text in texts if any(f"{verb} " in text for verb in ("select", "insert", "update", "delete"))]
