"""Ports, output and memory of the sample: what happens when something is taken, ends or is read again."""

import io
import socket
import stat
import sys
from datetime import UTC, date, datetime

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask, PeriodicTasks

from config import supervisor
from config.demo import bars, hosting, state, waiting
from config.demo.state import State

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_taken_port_gives_the_next_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert port < hosting.free_port("127.0.0.1", port) < port + hosting.PORTS


def test_program_that_keeps_ending_is_told_in_a_sentence_that_names_the_log(tmp_path):
    journal = hosting.Journal(tmp_path / "deep" / "server.log")
    host = hosting.Host(host="127.0.0.1", port=1, journal=journal)
    program = supervisor.Program("worker", [sys.executable, "-c", "print('no broker'); raise SystemExit(3)"])
    host._supervisor = supervisor.Supervisor([program], output=journal, pauses=[0])

    with host, pytest.raises(hosting.ProgramEnded, match="last with exit code 3") as caught:
        host.wait_until_ready()

    assert str(journal.path) in str(caught.value)
    assert "no broker" not in str(caught.value)
    assert journal.path.read_text().count("no broker") == 2


def test_starting_is_waited_for_as_long_as_the_programs_live_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(hosting, "TELL_SECONDS", 0)
    answers = iter([False, False, True])
    monkeypatch.setattr(hosting, "_answers", lambda _: next(answers))
    host = hosting.Host(host="127.0.0.1", port=1, journal=hosting.Journal(tmp_path / "server.log"))
    told: list[str] = []

    host.wait_until_ready(tell=told.append)

    assert [text[:26] for text in told] == ["The web server is starting"] * 2


def test_journal_goes_on_where_an_earlier_start_left_it(tmp_path, monkeypatch):
    for line in ("first\n", "second\n"):
        journal = hosting.Journal(tmp_path / "server.log")
        journal.write(line)
        journal.flush()
    assert journal.path.read_text() == "first\nsecond\n"

    monkeypatch.setattr(hosting, "LOG_BYTES", 3)
    hosting.Journal(tmp_path / "server.log").flush()

    assert (tmp_path / "server.log.1").read_text() == "first\nsecond\n"
    assert journal.path.read_text() == ""


def test_state_is_private_and_comes_back(tmp_path):
    folder = tmp_path / "demo"
    assert state.load(folder) is None

    state.save(folder, State(last_month=date(2026, 4, 1), password="secret", api_key="key"))
    state.save(folder, State(last_month=date(2026, 4, 1), password="other", api_key="key"))
    state.save_key(folder, "key")

    assert state.load(folder) == State(last_month=date(2026, 4, 1), password="other", api_key="key")
    assert state.key_file(folder).read_text() == "key\n"
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_bar_is_silent_without_a_terminal(capfd):
    with bars.bar("Payments", 2) as bar:
        bar.update(2)

    assert capfd.readouterr() == ("", "")


@pytest.mark.django_db
def test_hurrying_makes_a_job_due_and_tells_the_scheduler():
    times = CrontabSchedule.objects.create(minute="10")
    PeriodicTask.objects.create(name="billing", task="billing.tasks.run_billing", crontab=times, last_run_at=AT)
    other = PeriodicTask.objects.create(name="overdue", task="x", crontab=times, enabled=False)
    before = PeriodicTasks.last_change()

    waiting.hurry("billing", at=AT)

    job = PeriodicTask.objects.get(name="billing")
    assert job.schedule.is_due(job.last_run_at).is_due
    assert PeriodicTasks.last_change() > before
    other.refresh_from_db()
    assert not other.enabled


@pytest.mark.django_db
def test_waiting_tells_what_moved_and_ends_with_nothing_left(monkeypatch):
    monkeypatch.setattr(waiting, "STEP_SECONDS", 0)
    counts, moved = iter([5, 5, 3, 0]), []

    waiting.until_done(
        lambda: next(counts), job="billing", what="customers", clock=lambda: AT, moved=moved.append, check=lambda: None
    )

    assert moved == [2, 3]


@pytest.mark.django_db
def test_waiting_in_vain_ends_with_the_reason(monkeypatch):
    monkeypatch.setattr(waiting, "STEP_SECONDS", 0)
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0)

    with pytest.raises(waiting.Stuck, match="7 PDFs"):
        waiting.until_done(
            lambda: 7, job="deliveries", what="PDFs", clock=lambda: AT, moved=lambda _: None, check=lambda: None
        )


@pytest.mark.django_db
def test_nothing_to_wait_for_hurries_nobody():
    before = PeriodicTasks.last_change()

    waiting.until_done(
        lambda: 0, job="billing", what="customers", clock=lambda: AT, moved=lambda _: None, check=pytest.fail
    )

    assert PeriodicTasks.last_change() == before


def test_output_of_a_program_is_written_line_by_line():
    output = io.StringIO()
    program = supervisor.Program("web", [sys.executable, "-c", "print('up')"])
    with supervisor.Supervisor([program], output=output, pauses=()) as one:
        one.wait()

    assert output.getvalue() == "   web | up\n"
