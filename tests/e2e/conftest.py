"""A browser, and a house for it to walk through."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e import browser, house
from tests.e2e.house import House

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium without a window. `make test` installs it."""
    assert browser.program(), "there is no Chromium: sh scripts/browser.sh installs it or says what to do"
    # The browser's driver runs an event loop in this thread, in which Django would refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser.program(), args=list(FLAGS))
        yield launched
        launched.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def lumen(transactional_db: None, tmp_path: pathlib.Path) -> Iterator[House]:
    """An installation that runs on the test's database."""
    with house.running(tmp_path) as running:
        yield running
