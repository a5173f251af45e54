"""Runs of the books check over the API: with results and findings, only to be read."""

import uuid

from customers.models import Customer
from invoicing.models import BooksCheck
from invoicing.services import books_checks
from tests.factories import books
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


def run() -> BooksCheck:
    names = ["entries_balance", "payment_status"]
    return books_checks.run(as_of=make.AT, trigger="test", actor=make.ACTOR, names=names, seed=7)


def test_runs_are_listed_with_what_they_found(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "10.00")
    first = run()
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE invoicing_invoice SET payment_overdue = TRUE, payment_status = 'succeeded'")
    second = run()

    answer = api.read("books_checks").json()

    assert [row["id"] for row in answer["books_checks"]] == [str(second.uuid), str(first.uuid)]
    assert answer["meta"]["total_count"] == 2
    content = answer["books_checks"][0]
    assert api.read(f"books_checks/{second.uuid}").json() == {"books_check": content}
    assert (content["status"], content["findings_count"], content["seed"], content["as_of"]) == (
        "failed", 1, 7, "2026-05-01T00:10:00Z",
    )  # fmt: skip
    held, status = content["results"]
    assert (held["name"], held["status"], held["looked_at"], held["findings"]) == ("entries_balance", "passed", 1, [])
    assert status["findings"] == [
        {
            "subject_type": "invoicing.invoice",
            "subject_id": invoice.pk,
            "label": invoice.number,
            "message": "it is paid and overdue",
        }
    ]
    assert [row["id"] for row in api.read("books_checks?status=passed").json()["books_checks"]] == [str(first.uuid)]


def test_what_is_not_there(api: ApiClient) -> None:
    assert api.read("books_checks").json()["books_checks"] == []
    answer = api.read(f"books_checks/{uuid.uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "books_check_not_found")
    assert api.read("books_checks/nonsense").status_code == 404
    assert api.read("books_checks?status=nonsense").status_code == 422
