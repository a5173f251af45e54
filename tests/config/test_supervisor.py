"""Running programs side by side: output is prefixed, one that ends is noticed, all stop together."""

import io
import sys
import time

import psutil
import pytest

from config import supervisor
from config.supervisor import Program

FOREVER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def test_one_that_ends_is_noticed_and_the_others_are_stopped() -> None:
    output = io.StringIO()
    programs = [_program("first", FOREVER), _program("second", "print('bye'); raise SystemExit(3)")]
    with supervisor.Supervisor(programs, output=output) as running:
        assert running.wait() == ("second", 3)
        left = running.processes["first"].pid
    assert not psutil.pid_exists(left)
    assert "second | bye\n" in output.getvalue()


def test_one_that_will_not_stop_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    output = io.StringIO()
    with supervisor.Supervisor([_program("one", STUBBORN)], output=output) as running:
        deadline = time.monotonic() + 10
        while "up" not in output.getvalue() and time.monotonic() < deadline:
            time.sleep(0.05)
        pid = running.processes["one"].pid
    assert not psutil.pid_exists(pid)
    assert "one | up\n" in output.getvalue()


def test_the_three_programs_of_an_installation() -> None:
    web = supervisor.web(host="127.0.0.1", port=8123).command
    assert web[-1] == "config.wsgi:application"
    assert "8123" in web
    assert "config.celery" in supervisor.worker().command
    assert "beat" in supervisor.beat().command


def _program(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code])
