"""``manage.py check_books``: a line for each check, JSON, and an exit code that a script can use."""

from __future__ import annotations

import json
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from config.kernel import checks
from invoicing.models import BooksCheck
from tests.factories import books
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    out, code = StringIO(), 0
    with time_machine.travel(make.AT, tick=False):
        try:
            call_command("check_books", *arguments, stdout=out)
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue()


@pytest.fixture
def number() -> str:
    return str(make.issue(make.make_customer(make.make_entity()), "10.00").number)


def break_them() -> None:
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE invoicing_invoice SET payment_overdue = TRUE, payment_status = 'succeeded'")


def test_books_in_order(number: str) -> None:
    code, text = run()
    lines = text.splitlines()
    assert code == 0
    assert len([line for line in lines if line.startswith("ok ")]) == len(checks.registered())
    assert lines[-2] == "The books are in order."
    assert BooksCheck.objects.get().trigger == "command"


def test_books_that_are_not(number: str) -> None:
    break_them()
    code, text = run("--check", "payment_status", "--check", "numbers")
    assert code == 1
    assert "BROKEN  Paid where nothing is due" in text
    assert f"{number} (invoicing.invoice " in text
    assert "it is paid and overdue" in text
    assert "The books are not in order: 1 checks do not hold." in text


def test_json(number: str) -> None:
    break_them()
    code, text = run("--json", "--sample", "3", "--seed", "9", "--since", "2026-04-30")
    content = json.loads(text)
    assert code == 1
    assert (content["status"], content["sample"], content["seed"], content["findings_count"]) == ("failed", 3, 9, 1)
    assert content["since"] == "2026-04-30T00:00:00+00:00"
    (found,) = [check for check in content["checks"] if check["findings"]]
    assert (found["name"], found["findings"][0]["label"]) == ("payment_status", number)


def test_what_is_left_out_is_not_found(number: str) -> None:
    break_them()
    assert run("--since", "2026-05-02")[0] == 0


def test_the_list_runs_nothing() -> None:
    code, text = run("--list")
    assert code == 0
    assert "receivables: Receivables = open documents" in text
    assert not BooksCheck.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--check", "nonsense"), "no check 'nonsense'"),
        (("--sample", "-1"), "A sample is from 0"),
        (("--since", "yesterday"), "no day such as"),
    ],
)
def test_what_cannot_be_asked_for(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("check_books", *arguments, stdout=StringIO())
