"""The embedded server on real processes: starts once, survives a kill, is not fooled by what a dead one left."""

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.db import OperationalError

from config import environment
from config.localdb import base, server
from config.localdb import home as homes
from config.localdb.errors import LocalDatabaseError
from config.localdb.home import Home

STARTERS = 4


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """A running server of its own, in a directory that only its owner can enter."""
    folder = tmp_path_factory.mktemp("installation") / ".data"
    server.ensure_running(folder)
    yield folder
    server.remove(folder)


@pytest.fixture
def home(data_dir: pathlib.Path) -> Home:
    server.ensure_running(data_dir)
    found = homes.find(data_dir)
    assert found
    return found


def test_starting_twice_keeps_the_process(data_dir: pathlib.Path, home: Home) -> None:
    before = _pid(home)
    server.ensure_running(data_dir)
    assert _pid(home) == before


def test_it_does_not_run_as_root_and_listens_on_a_private_socket_only(data_dir: pathlib.Path, home: Home) -> None:
    process = server.postmaster(home)
    assert process
    assert process.uids().effective != 0
    assert home.socket_dir.stat().st_mode & 0o077 == 0
    assert home.data.stat().st_mode & 0o077 == 0
    with psycopg.connect(server.url(data_dir)) as connection:
        assert _value(connection, "SHOW listen_addresses") == ""
        assert _value(connection, "SHOW timezone") == "UTC"


def test_what_was_stored_is_on_disk(data_dir: pathlib.Path) -> None:
    with psycopg.connect(server.url(data_dir)) as connection:
        settings = {
            name: _value(connection, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")
        }
    assert settings == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def test_a_killed_server_comes_back_with_its_data(data_dir: pathlib.Path, home: Home) -> None:
    with psycopg.connect(server.url(data_dir)) as connection:
        connection.execute("CREATE TABLE kept (value text)")
        connection.execute("INSERT INTO kept VALUES ('committed')")
    killed = _pid(home)
    os.kill(killed, signal.SIGKILL)
    server.ensure_running(data_dir)
    with psycopg.connect(server.url(data_dir)) as connection:
        assert _value(connection, "SELECT value FROM kept") == "committed"
        connection.execute("DROP TABLE kept")
    assert _pid(home) != killed


def test_many_processes_start_one_server(data_dir: pathlib.Path, home: Home) -> None:
    os.kill(_pid(home), signal.SIGKILL)
    command = [sys.executable, "-m", "config.localdb", "start"]
    variables = {**os.environ, "DATA_DIR": str(data_dir)}
    starters = [
        subprocess.Popen(
            command, cwd=environment.BASE_DIR, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(STARTERS)
    ]
    outputs = [starter.communicate(timeout=60)[0] for starter in starters]
    assert [starter.returncode for starter in starters] == [0] * STARTERS, outputs
    assert server.answers(home)
    assert _log(home).count("ready to accept connections") == _log(home).count("starting PostgreSQL")


def test_a_process_id_of_someone_else_is_not_believed(data_dir: pathlib.Path, home: Home) -> None:
    """After a reboot the number in the lock file may belong to any program: here to this very test."""
    server.stop(data_dir)
    (home.data / "postmaster.pid").write_text(f"{os.getpid()}\n{home.data}\n")
    assert server.postmaster(home) is None
    server.ensure_running(data_dir)
    assert _pid(home) != os.getpid()


@pytest.mark.django_db
def test_a_stopped_server_is_started_by_the_next_connection(
    data_dir: pathlib.Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    assert server.stop(data_dir) is True
    assert server.stop(data_dir) is False
    wrapper = base.DatabaseWrapper(_settings(server.DATABASE))
    try:
        with wrapper.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == (server.DATABASE,)
    finally:
        wrapper.close()


@pytest.mark.django_db
def test_a_database_that_is_not_there_stays_an_error(data_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    wrapper = base.DatabaseWrapper(_settings("absent"))
    with pytest.raises(OperationalError, match='database "absent" does not exist'):
        wrapper.ensure_connection()


def test_the_prompt_uses_the_packaged_psql(data_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    wrapper = base.DatabaseWrapper(_settings(server.DATABASE))
    arguments, _ = wrapper.client.settings_to_cmd_args_env(wrapper.settings_dict, ["-c", "SELECT 1"])
    assert pathlib.Path(arguments[0]).name == "psql"
    assert server.address(data_dir)["host"] in arguments


def test_two_installations_are_apart_and_an_interrupted_setup_is_made_again(
    data_dir: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    other = tmp_path / ("a long way down" * 8) / ".data"
    other.parent.mkdir()
    try:
        home = homes.create(environment.make_private(other))
        home.make_directory(home.root / "data.new")  # what a setup that was cut short leaves behind
        (home.root / "data.new" / "half").write_text("written")
        server.ensure_running(other)
        assert server.address(other)["host"] != server.address(data_dir)["host"]
        assert len(server.address(other)["host"]) < homes.SOCKET_PATH_LIMIT
        assert not (home.root / "data.new").exists()
    finally:
        assert server.remove(other) is True
    assert server.remove(other) is False
    assert not (other / "postgres").exists()


def test_a_copied_checkout_does_not_reach_the_original_database(tmp_path: pathlib.Path) -> None:
    root, original, copy = tmp_path / "home", tmp_path / "original", tmp_path / "copy"
    for folder in (root / "data", original, copy):
        folder.mkdir(parents=True)
    for checkout in (original, copy):
        (checkout / "postgres").symlink_to(root)
    (root / homes.OWNER_FILE).write_text(str(original / "postgres"))
    with pytest.raises(LocalDatabaseError, match="was copied from"):
        homes.find(copy)


def _settings(name: str) -> dict[str, object]:
    empty = dict.fromkeys(("USER", "PASSWORD", "HOST", "PORT"), "")
    fixed = {
        "TIME_ZONE": None,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "AUTOCOMMIT": True,
        "ATOMIC_REQUESTS": False,
    }
    return {"ENGINE": "config.localdb", "NAME": name, "OPTIONS": {}, **empty, **fixed, "TEST": {}}


def _pid(home: Home) -> int:
    process = server.postmaster(home)
    assert process
    return int(process.pid)


def _log(home: Home) -> str:
    return home.log.read_text()


def _value(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row[0] if row else None
