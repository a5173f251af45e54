"""Deleting stored data: only the installation's own, never beneath running programs, and on a terminal only if sure."""

import io
import pathlib
import sys
from typing import Any

import pytest

from config import clean_data, environment, supervisor
from config.localdb import server
from config.supervisor import Program


@pytest.fixture
def data(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A data directory with something stored, something of somebody else's, and no database server."""
    monkeypatch.setattr(environment, "data_dir", lambda: tmp_path)
    monkeypatch.setattr(server, "remove", lambda _: True)
    monkeypatch.setattr(sys, "argv", ["clean_data"])
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "A-001.pdf").write_text("PDF")
    (tmp_path / "secret_key").write_text("key")
    (tmp_path / "mine.txt").write_text("mine")
    return tmp_path


class Terminal(io.StringIO):
    """Somebody who can be asked."""

    def isatty(self) -> bool:
        return True


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(f"{text}\n"))


@pytest.mark.parametrize("said", ["y", "Yes"])
def test_somebody_sure_gets_rid_of_it(data: pathlib.Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    answer(monkeypatch, said)
    assert clean_data.main() == 0
    assert [path.name for path in data.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("said", ["", "n", "what?"])
def test_somebody_unsure_keeps_it(
    data: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    answer(monkeypatch, said)
    assert clean_data.main() == 1
    assert "files, secret_key" in capsys.readouterr().out
    assert (data / "files" / "A-001.pdf").exists()


@pytest.mark.parametrize("arguments", [[], ["--yes"]])
def test_a_script_is_not_asked(data: pathlib.Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["clean_data", *arguments])
    monkeypatch.setattr(sys, "stdin", Terminal("n\n") if arguments else io.StringIO())
    assert clean_data.main() == 0
    assert not (data / "files").exists()


def test_nothing_is_deleted_beneath_running_programs(
    data: pathlib.Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR = data
    program = Program("one", [sys.executable, "-c", "import time; time.sleep(600)"])
    with supervisor.Supervisor([program], output=io.StringIO()):
        assert clean_data.main() == 1
    assert "stop them first" in capsys.readouterr().err
    assert (data / "files" / "A-001.pdf").exists()


def test_nothing_stored_is_no_fault(data: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "data_dir", lambda: data / "absent")
    assert clean_data.main() == 0
    assert not (data / "absent").exists()
