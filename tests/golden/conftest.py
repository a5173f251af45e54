"""The comparison with golden files: `pytest tests/golden --update-golden` renews them, and the diff is reviewed."""

import pathlib
from collections.abc import Callable

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name, or write the file when told to."""
    renew = request.config.getoption("--update-golden", default=False)
    folder = pathlib.Path(__file__).parent

    def compare(name: str, text: str) -> None:
        path = folder / name
        if renew:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
