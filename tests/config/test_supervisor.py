"""Running programs side by side: output is prefixed, one that ends is noticed, all stop together."""

import io
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from django.core.management import CommandError, call_command

from config import supervisor
from config.supervisor import Program

FOREVER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def test_one_that_ends_is_noticed_and_the_others_are_stopped() -> None:
    output = io.StringIO()
    programs = [_program("first", FOREVER), _program("second", "print('bye'); raise SystemExit(3)")]
    with supervisor.Supervisor(programs, output=output, pauses=()) as running:
        assert running.wait() == ("second", 3)
        left = running.processes["first"].pid
    assert not psutil.pid_exists(left)
    assert "second | bye\n" in output.getvalue()


def test_one_that_ends_is_started_again_and_the_others_go_on(tmp_path: pathlib.Path) -> None:
    once = f"import pathlib; p = pathlib.Path({str(tmp_path / 'ran')!r}); ran = p.exists(); p.touch()\n"
    output = io.StringIO()
    programs = [_program("web", FOREVER), _program("worker", f"{once}if not ran: raise SystemExit(1)\n{FOREVER}")]
    with supervisor.Supervisor(programs, output=output, pauses=[0.1]) as running:
        web = running.processes["web"].pid
        _until(lambda: "worker | up" in output.getvalue())
        assert "worker | ended with exit code 1; it is started again in 0.1 s.\n" in output.getvalue()
        assert running.ended() is None
        assert (running.processes["web"].pid, running.processes["web"].poll()) == (web, None)
        second = running.processes["worker"].pid
    assert not psutil.pid_exists(second)


def test_one_that_keeps_ending_is_given_up() -> None:
    output = io.StringIO()
    programs = [_program("worker", "raise SystemExit(4)")]
    with supervisor.Supervisor(programs, output=output, pauses=[0, 0]) as running:
        assert running.wait() == ("worker", 4)
    assert output.getvalue().count("it is started again") == 2


def test_ends_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FORGOTTEN_SECONDS", 0)
    output = io.StringIO()
    with supervisor.Supervisor([_program("worker", "")], output=output, pauses=[0]) as running:
        _until(lambda: output.getvalue().count("it is started again") > 2)
        assert running.ended() is None


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_that_will_not_stop_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    output = io.StringIO()
    with supervisor.Supervisor([_program("one", STUBBORN)], output=output) as running:
        _until(lambda: "up" in output.getvalue())
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


def test_a_port_somebody_listens_on_is_taken() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as the web server does
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.listen()
        assert supervisor.is_taken(host="127.0.0.1", port=port)
    assert not supervisor.is_taken(host="127.0.0.1", port=port)
    assert not supervisor.is_taken(host="no such host", port=port)


def test_serving_on_a_taken_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "is_taken", lambda **_: True)
    out = io.StringIO()
    with pytest.raises(CommandError, match="Port 8123 is in use: set WEB_PORT"):
        call_command("serve", port=8123, stdout=out)
    assert out.getvalue() == ""


def test_what_runs_holds_the_data_even_when_the_supervisor_is_gone(tmp_path: pathlib.Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path
    with supervisor.Supervisor([_program("one", FOREVER)], output=io.StringIO()) as running:
        with pytest.raises(supervisor.ProgramsRun, match="stop them first"), supervisor.none_running(tmp_path):
            pytest.fail("a program runs")
        assert running.ended() is None
    with supervisor.none_running(tmp_path), pytest.raises(BlockingIOError):
        supervisor.Supervisor([_program("one", FOREVER)]).__enter__()


def test_ctrl_c_is_heard_where_it_was_ignored() -> None:
    """As a shell does for what a script starts in the background."""
    code = (
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from config import supervisor; supervisor.interruptible()\n"
        "try:\n"
        "    print('up', flush=True)\n"
        "    while True: time.sleep(0.05)  # a signal that comes just before a sleep is heard after it\n"
        "except KeyboardInterrupt: raise SystemExit(7)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 7
    process.stdout.close()
