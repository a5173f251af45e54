"""Running functions at the same time, each in a thread with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

WAIT_SECONDS = 30


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Start all calls at the same moment and return their results, or the exceptions they raised, in their order."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait(WAIT_SECONDS)
            return call()
        except Exception as error:  # noqa: BLE001 - handed to the test, which says what it expects
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return list(pool.map(run, calls))
