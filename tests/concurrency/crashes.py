"""Killing a process, or its database session, right after a commit: what is done stays, what is not is done again.

The process is a fork of the test, so that it costs no start; it is killed by SIGKILL, so that nothing is tidied up. A
session is ended by the server (`terminate`), or its server process is killed (`backend`): that one makes the server
restart all sessions, so it is only for a server of one's own.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from config.localdb.errors import LocalDatabaseError

MODES = ("worker", "terminate", *(("backend",) if os.environ.get("CRASH_BACKENDS") else ()))
"""CRASH_BACKENDS=1 adds the killing of server processes, on a server that nobody else uses."""

MOST = 60
_PATIENCE = 60
_NOTICED = 1
"""Seconds in which a server notices that one of its processes was killed, and begins to recover."""
_READS = ("SELECT", "WITH", "SET", "SHOW", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN")


def survives(work: Callable[[], Any], *, after: int, mode: str) -> bool:
    """Do the work, killed right after its ``after``-th commit; say whether it was over before that.

    Whatever it was that died, the caller's connection is fresh afterwards.
    """
    if mode == "worker":
        return _forked(work, after)
    connection.close()
    try:
        with _at_commit(after, _end_session if mode == "terminate" else _kill_backend) as reached:
            work()
    except (DatabaseError, InterfaceError, LocalDatabaseError):
        _reconnect()
        return False
    finally:
        connection.close()
    _reconnect()
    return not reached


def every_commit(work: Callable[[], Any], *, mode: str) -> Iterator[int]:
    """Yield 1, 2, … after having killed the work at that commit, until one goes through. Prepare anew each time."""
    if mode == "backend":
        # Tests do not wait for the disk; what a killed server still has to know must be on it.
        connection.close()
        connection.settings_dict["OPTIONS"].pop("options", None)
    for after in range(1, MOST):
        done = survives(work, after=after, mode=mode)
        yield after
        if done:
            return
    raise AssertionError(f"more than {MOST} commits")


@contextmanager
def _at_commit(after: int, kill: Callable[[], None]) -> Iterator[list[int]]:
    """Kill once this many transactions are committed, those of single statements included."""
    count, reached = 0, []
    whole = BaseDatabaseWrapper._commit

    def counted() -> None:
        nonlocal count
        count += 1
        if count == after:
            reached.append(count)
            kill()

    def commit(self: BaseDatabaseWrapper) -> Any:
        result = whole(self)
        counted()
        return result

    def execute(run: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        result = run(sql, params, many, context)
        if not connection.in_atomic_block and not str(sql).lstrip().upper().startswith(_READS):
            counted()
        return result

    BaseDatabaseWrapper._commit = commit  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(execute):
            yield reached
    finally:
        BaseDatabaseWrapper._commit = whole  # type: ignore[method-assign]


def _forked(work: Callable[[], Any], after: int) -> bool:
    connection.close()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with _at_commit(after, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    _wait_for_the_dead()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return True


def _wait_for_the_dead() -> None:
    """Wait until the server has noticed that its client is gone: until then its locks are held."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("a session of the dead is still there")


def _end_session() -> None:
    with _other() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


def _kill_backend() -> None:
    os.kill(connection.connection.info.backend_pid, signal.SIGKILL)
    time.sleep(_NOTICED)


def _other() -> psycopg.Connection[Any]:
    return psycopg.connect(
        connection.connection.info.dsn, password=connection.connection.info.password, autocommit=True
    )


def _reconnect() -> None:
    """Connect anew; a server whose process was killed takes a moment to recover."""
    connection.close()
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.ensure_connection()
        except (OperationalError, LocalDatabaseError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
