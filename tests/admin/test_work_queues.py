"""Work queues: each counts exactly what its list shows, with its money and its age; owners; who sees which."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlparse

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from config.dashboard import queue_blocks
from config.dashboard.queue_blocks import Line, WorkQueues
from config.kernel import errors, queues
from config.platform.admin import work_queues as pages
from config.platform.models import AuditEntry, QueueOwner
from config.platform.queries import work_queues as found_queues
from config.platform.queries.work_queues import Waiting
from config.platform.services import work_queues
from tests.admin.conftest import NOW, signed_in
from tests.factories.company import Company
from tests.factories.platform import ACTOR
from tests.factories.waiting import make_waiting

pytestmark = pytest.mark.django_db


def counted() -> dict[str, Waiting]:
    found = found_queues.counted(queues=queues.registered(), at=NOW)
    return {one.queue.code: one for one in found}


def shown(client: Client) -> WorkQueues:
    blocks = client.get("/admin/").context["blocks"]
    return next(block for block in blocks if isinstance(block, WorkQueues))


def lines(client: Client) -> dict[str, Line]:
    return {line.queue.code: line for line in shown(client).lines}


def test_every_queue_counts_what_waits_and_nothing_else(company: Company) -> None:
    before = counted()
    made = make_waiting(company)
    after = counted()
    assert set(made) == set(after) == set(queue_blocks.ORDER)
    assert {code: after[code].count - before[code].count for code in made} == made


def test_every_queue_leads_to_exactly_what_it_counts(superuser: Client, company: Company) -> None:
    make_waiting(company)
    listed = 0
    for code, line in lines(superuser).items():
        page = superuser.get(line.url)
        assert page.status_code == 200, code
        if line.queue.is_target:
            continue
        listed += 1
        assert str(page.context["cl"].result_count) == line.count, code
    assert listed >= 16
    found = counted()
    books = superuser.get(pages.url(found["books"])).content.decode()
    assert books.count("q-tone-bad") >= found["books"].count
    assert pages.url(found["not_billed"]).endswith("#failures")


def test_money_age_and_deadlines(company: Company) -> None:
    make_waiting(company)
    found = counted()
    assert found["disputes"].amounts == (Money("12.00", "EUR"),)  # 5.00 + 7.00 of one invoice
    assert found["late_usage"].amounts == (Money("2.00", "EUR"),)  # 3.00 - 1.00
    assert found["late_usage"].since == NOW - timedelta(days=1)
    assert found["refunds"].amounts == (Money("11.90", "EUR"),)  # 10.00 and 19 %
    assert found["quotes_to_approve"].amounts == (Money("1200", "EUR"),)
    assert found["approvals"].amounts == (Money("1500", "EUR"),)
    assert found["parked"].amounts == ()
    assert found["renewals_30"].since is not None
    assert found["renewals_30"].since.date() == NOW.date()
    assert sum(amount.amount for amount in found["unallocated"].amounts) > 0


def test_a_long_queue_is_counted_to_a_bound(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    make_waiting(company)
    monkeypatch.setattr(found_queues, "MOST", 1)
    found = counted()
    assert (found["untaxed"].count, found["untaxed"].is_bounded) == (1, True)
    assert (found["refunds"].count, found["refunds"].is_bounded) == (1, False)


def test_all_queues_take_one_statement(company: Company) -> None:
    make_waiting(company)
    with CaptureQueriesContext(connection) as captured:
        counted()
    assert len(captured) == 1


def test_owners_see_theirs_first(superuser: Client, company: Company) -> None:
    make_waiting(company)
    assert not any(line.is_mine for line in shown(superuser).lines)
    user = User.objects.get(username="superuser")
    role = Group.objects.get(name="Accountant")
    user.groups.add(role)
    assert superuser.post("/admin/platform/queueowner/assign/", {"code": "mail", "person": user.pk}).status_code == 302
    assert superuser.post("/admin/platform/queueowner/assign/", {"code": "books", "role": role.pk}).status_code == 302
    found = shown(superuser).lines
    assert [line.queue.code for line in found[:2]] == ["mail", "books"]
    assert [line.is_mine for line in found[:3]] == [True, True, False]
    assert found[1].owner == "Accountant"
    row = QueueOwner.objects.get(code="mail")
    edit = f"/admin/platform/queueowner/{row.pk}/edit/"
    assert superuser.get(edit).status_code == 200
    assert superuser.post(edit, {"code": "mail"}).status_code == 302
    assert not QueueOwner.objects.filter(code="mail").exists()
    verbs = AuditEntry.objects.filter(object_type="platform.queueowner").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["assign queue", "assign queue", "release queue"]


def test_owners_are_refused_that_could_not_look_after_it(company: Company) -> None:
    outside = User.objects.create_user("outside")
    role = Group.objects.get(name="Accountant")
    inside = User.objects.create_user("inside", is_staff=True)
    for values in (
        {"code": "unheard_of", "person": inside, "role": None},
        {"code": "mail", "person": outside, "role": None},
        {"code": "mail", "person": inside, "role": role},
    ):
        with pytest.raises(errors.Invalid):
            work_queues.assign(**values, actor=ACTOR, at=NOW)
    first = work_queues.assign(code="mail", person=inside, role=None, actor=ACTOR, at=NOW)
    again = work_queues.assign(code="mail", person=inside, role=None, actor=ACTOR, at=NOW + timedelta(days=1))
    assert first == again
    assert again is not None
    assert again.updated_at == NOW  # the second time did nothing


def test_people_see_the_queues_whose_lists_they_may_see(company: Company) -> None:
    make_waiting(company)
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_lateusage"))
    client = Client()
    client.force_login(clerk)
    block = shown(client)
    assert [line.queue.code for line in block.lines] == ["late_usage"]
    assert (block.idle, block.owners_url) == ((), "")
    assert client.get("/admin/invoicing/invoice/?queue=drafts").status_code == 403
    assert client.get("/admin/platform/queueowner/assign/").status_code == 403
    assert not any(isinstance(one, WorkQueues) for one in signed_in("Nobody").get("/admin/").context["blocks"])


def test_nothing_waits_in_one_sentence(company: Company, superuser: Client) -> None:
    block = shown(superuser)
    idle = {label for label, _ in block.idle}
    assert {"Parked accounts", "Failed payments"} <= idle
    assert not idle & {line.queue.label for line in block.lines}
    address = dict(block.idle)["Failed payments"]
    assert parse_qs(urlparse(address).query) == {"queue": ["failed_payments"]}
    assert superuser.get(address).context["cl"].result_count == 0


@pytest.mark.parametrize("value", ["x", "", "mail", "%00", "drafts&queue=x"])
def test_what_is_no_queue_of_a_list_narrows_nothing(superuser: Client, company: Company, value: str) -> None:
    assert superuser.get(f"/admin/invoicing/invoice/?queue={value}").status_code in (200, 302)


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=40), "40 days ago"),
        (timedelta(days=-2), "in 2 days"),
    ],
)
def test_ages(passed: timedelta, text: str) -> None:
    assert queue_blocks.age(NOW - passed, at=NOW) == text
