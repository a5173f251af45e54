"""Messages as files: taken whole, once, by many at a time; what cannot be read is set aside and ends no worker."""

from __future__ import annotations

import errno
import logging
import os
import pathlib
import stat
import subprocess
import sys
from queue import Empty
from typing import Any

import pytest
from kombu import Connection
from kombu.transport import filesystem

from config import file_broker

READER = """
import pathlib, sys, time
from queue import Empty
from tests.config.test_file_broker import channel
folder, over = sys.argv[1], pathlib.Path(sys.argv[2])
one = channel(folder)
print("up", flush=True)
while True:
    is_over = over.exists()
    try:
        print(one._get("celery")["properties"]["delivery_tag"])
    except Empty:
        if is_over:
            break
        time.sleep(0.001)
"""


def channel(folder: pathlib.Path | str, transport: Any = file_broker.Transport) -> Any:
    """A channel whose folders lie under a folder."""
    home = pathlib.Path(folder)
    for name in ("queue", "control", "taken"):
        (home / name).mkdir(exist_ok=True)
    options = {
        "data_folder_in": str(home / "queue"),
        "data_folder_out": str(home / "queue"),
        "control_folder": str(home / "control"),
        "broken_folder": str(home / "broken"),
        "processed_folder": str(home / "taken"),
        "store_processed": True,
    }
    return Connection("filesystem://localhost", transport=transport, transport_options=options).channel()


def _message(one: Any, tag: str) -> dict[str, Any]:
    return one.prepare_message("{}", properties={"delivery_tag": tag})


def test_each_message_is_taken_once_by_many_at_once(tmp_path: pathlib.Path) -> None:
    """Two processes wait for messages, and take them while a third writes."""
    over = tmp_path / "over"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    one = channel(tmp_path)
    command = [sys.executable, "-c", READER, str(tmp_path), str(over)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "up\n"
    for number in range(500):
        one._put("celery", _message(one, str(number)))
    over.touch()
    taken = [line for reader in readers for line in reader.communicate(timeout=60)[0].split()]
    assert [reader.returncode for reader in readers] == [0, 0]
    assert sorted(map(int, taken)) == list(range(500))
    assert list((tmp_path / "queue").iterdir()) == []
    assert not (tmp_path / "broken").exists()


def test_the_stock_transport_ends_at_a_message_that_is_just_being_written_and_loses_it(tmp_path: pathlib.Path) -> None:
    """The control: a file that is there and still empty is what its own writer leaves for a moment."""
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "1_a.celery.msg").touch()
    with pytest.raises(ValueError, match="Expecting value"):
        channel(tmp_path, filesystem.Transport)._get("celery")
    assert list((tmp_path / "queue").iterdir()) == []


def test_a_message_that_is_just_being_written_is_waited_for(tmp_path: pathlib.Path) -> None:
    one = channel(tmp_path)
    one._put("celery", _message(one, "later"))
    path = next((tmp_path / "queue").iterdir())
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    one._put("celery", _message(one, "whole"))

    assert one._get("celery")["properties"]["delivery_tag"] == "whole"
    with pytest.raises(Empty):
        one._get("celery")
    path.write_bytes(whole)
    assert one._get("celery")["properties"]["delivery_tag"] == "later"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"7", b"{}", b'{"properties": {}}'])
def test_what_stays_unreadable_is_set_aside_and_told(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    one = channel(tmp_path)
    path = tmp_path / "queue" / "00000_a.celery.msg"
    path.write_bytes(content)
    os.utime(path, (1, 1))
    one._put("celery", _message(one, "good"))

    with caplog.at_level(logging.ERROR):
        assert one._get("celery")["properties"]["delivery_tag"] == "good"
    assert (tmp_path / "broken" / "00000_a.celery.msg").read_bytes() == content
    assert "was set aside" in caplog.text
    assert one._size("celery") == 0


def test_what_cannot_be_set_aside_or_read_for_the_moment_stops_nobody(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = channel(tmp_path)
    bad = tmp_path / "queue" / "00000_a.celery.msg"
    bad.write_bytes(b"{")
    os.utime(bad, (1, 1))
    (tmp_path / "broken").write_text("a file where the folder should be")
    one._put("celery", _message(one, "first"))
    first = sorted((tmp_path / "queue").iterdir())[1]
    os.utime(first, (1, 1))
    one._put("celery", _message(one, "second"))
    plain = pathlib.Path.read_bytes

    def busy(path: pathlib.Path) -> bytes:
        if path == first:
            raise OSError(errno.EMFILE, "too many open files")
        return plain(path)

    with caplog.at_level(logging.ERROR):
        with monkeypatch.context() as patched:
            patched.setattr(pathlib.Path, "read_bytes", busy)
            assert one._get("celery")["properties"]["delivery_tag"] == "second"
        assert one._get("celery")["properties"]["delivery_tag"] == "first"  # nothing was wrong with it
    assert bad.exists()
    assert "stays where it is" in caplog.text


def test_messages_are_private_and_come_in_the_order_of_sending(tmp_path: pathlib.Path) -> None:
    one = channel(tmp_path)
    for tag in "abc":
        one._put("celery", _message(one, tag))
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "queue").iterdir()} == {0o600}
    assert [one._get("celery")["properties"]["delivery_tag"] for _ in "abc"] == list("abc")
    assert list((tmp_path / "taken").iterdir()) == []


def test_an_unreadable_list_of_queues_is_made_anew(tmp_path: pathlib.Path) -> None:
    one = channel(tmp_path)
    (tmp_path / "control" / "celery.exchange").touch()
    assert one.get_table("celery") == []
    for queue in ("a", "b", "a"):
        one._queue_bind("celery", "key", "", queue)
    assert [row.queue for row in one.get_table("celery")] == ["b", "a"]
    one._delete("b", "celery", "key", "")
    assert [row.queue for row in one.get_table("celery")] == ["a"]


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: pathlib.Path) -> None:
    (tmp_path / "queue").mkdir()
    for name, written in ((".old.part", 1), (".new.part", None)):
        (tmp_path / "queue" / name).touch()
        os.utime(tmp_path / "queue" / name, None if written is None else (written, written))
    channel(tmp_path)
    assert [path.name for path in (tmp_path / "queue").iterdir()] == [".new.part"]


def test_the_address_of_the_default_broker_means_this_transport() -> None:
    assert isinstance(Connection("filesystem://localhost").transport, file_broker.Transport)
