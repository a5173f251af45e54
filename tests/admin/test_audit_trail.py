"""The audit trail as a page: found by words, person and address, taken as a file; and who looked at personal data."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.kernel.actors import Actor
from config.platform.models import AuditEntry, Installation, PersonalDataView
from config.platform.queries import audit_trail
from config.platform.services import audit, installation, personal_views
from tests.admin.conftest import NOW, Company
from tests.factories import invoicing as make
from tests.factories.platform import client_of

pytestmark = pytest.mark.django_db

TRAIL = "/admin/platform/auditentry/"
LOOKS = "/admin/platform/personaldataview/"


def write(company: Company, label: str = "Grace Hopper", **values: Any) -> None:
    user = User.objects.filter(username="ada").get()
    actor = Actor("user", label, user.pk, address="203.0.113.7", client="Firefox 200")
    given = {"verb": "tidy_up", "instance": company.customers[0], "reason": "=SUM(1) Überfällig", **values}
    audit.record(actor=actor, at=NOW, **given)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("grace", True),
        ("HOPP", True),  # the beginning of a word
        ("überfällig", True),
        ("tidy", True),
        ("BER-0042", True),  # a value, however it is punctuated
        ("grace 0042", True),
        ("grace nobody", False),
        ("opper", False),
        ("'; drop table", False),
        ("!!!", True),  # no words: nothing is narrowed
    ],
)
def test_words_find_entries(company: Company, words: str, found: bool) -> None:
    write(company, old={"city": "Köln"}, new={"number": "BER-0042"})
    rows = AuditEntry.objects.filter(verb="tidy_up")
    assert audit_trail.with_words(rows, words).exists() is found


def test_the_index_knows_the_words(company: Company) -> None:
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
        audit_trail.with_words(AuditEntry.objects.all(), "grace")
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small here
        cursor.execute(f"EXPLAIN {captured[0]['sql']}")
        assert "platform_audit_words_index" in str(cursor.fetchall())


def test_words_of_very_many_entries_are_found_from_the_newest_on(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(company)
    rows = AuditEntry.objects.order_by("-at", "-id")
    few = list(audit_trail.with_words(rows, "create"))
    monkeypatch.setattr(audit_trail, "COMMON", 3)
    assert len(few) > 3
    assert list(audit_trail.with_words(rows, "create")) == few
    assert not audit_trail.with_words(rows, "create nobodyhasthis").exists()


def test_filters_and_the_file(finance: Client, auditor: Client, company: Company) -> None:
    write(company)
    ada = User.objects.get(username="ada")
    for query, is_found in (
        ("q=grace", True),
        (f"person={ada.pk}", True),
        ("person=999999", False),
        ("person=x", True),
        ("verb=tidy+up", True),
        ("verb=void", False),
        ("address=203.0.113.7", True),
        ("address=203.0.113.8", False),
        ("object_type=customers.customer&q=tidy", True),
        ("object_type=invoicing.invoice&q=tidy", False),
    ):
        content = auditor.get(f"{TRAIL}?{query}").content.decode()
        assert ("Grace Hopper" in content) is is_found, query
    answer = auditor.get(f"{TRAIL}csv/?q=hopper")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("at,actor_kind,actor,verb,object_type,object_id,object,reason,address,client,old,new")
    assert len(lines) == 2
    assert "'=SUM(1)" in lines[1]  # no formula for a spreadsheet
    assert "203.0.113.7" in lines[1]
    assert auditor.post(f"{TRAIL}csv/").status_code == 405
    page = auditor.get(f"{TRAIL}{AuditEntry.objects.get(verb='tidy_up').pk}/change/").content.decode()
    assert "203.0.113.7" in page
    assert "Firefox 200" in page


def test_people_and_clients_leave_their_address(finance: Client, company: Company) -> None:
    group = Group.objects.get(name="Auditor")
    finance.post(
        "/admin/platform/approvalrule/create/",
        {"_do": "1", "action": "publish_prices", "group": str(group.pk)},
        headers={"User-Agent": "Lynx"},
    )
    entry = AuditEntry.objects.get(object_type="platform.approvalrule")
    assert (entry.address, entry.client) == ("127.0.0.1", "Lynx")
    client = client_of()
    client.call("post", "taxes", {"tax": {"code": "t1", "name": "T", "rate": "5"}}, User_Agent="curl/8")
    entry = AuditEntry.objects.get(object_type="catalog.tax", actor_kind="api_key", verb="create")
    assert (entry.address, entry.client) == ("127.0.0.1", "curl/8")
    assert not AuditEntry.objects.filter(actor_kind="job").exclude(address="").exists()


def test_nothing_is_noted_while_it_is_off(finance: Client, company: Company) -> None:
    for address in _personal(company):
        assert finance.get(address).status_code == 200
    assert not PersonalDataView.objects.exists()


def test_looks_are_noted_while_it_is_on(finance: Client, company: Company) -> None:
    installation.ensure(at=NOW)
    finance.post(f"{LOOKS}switch_on/", {"_do": "1", "reason": "agreed with the works council"})
    assert Installation.objects.get().records_personal_views
    assert AuditEntry.objects.get(verb="set personal views").reason == "agreed with the works council"

    for address in _personal(company):
        finance.get(address, headers={"User-Agent": "Lynx"})
    finance.get("/admin/catalog/plan/")  # no personal data
    finance.get("/admin/customers/customer/999999999/change/")  # shows nothing
    finance.post(f"/admin/customers/customer/{company.customers[0].pk}/change/")
    finance.get(f"/admin/invoicing/ledgerentry/customer/{company.customers[0].pk}/")
    finance.get("/admin/platform/auditentry/csv/")
    finance.get("/admin/reports/customers/")
    finance.get("/admin/search/?s=a%00cme")  # no text for a database

    customer = company.customers[0]
    rows = PersonalDataView.objects.exclude(object_type="platform.personaldataview").order_by("pk")
    assert [(one.page, one.object_type, one.object_label, one.term) for one in rows] == [
        ("list", "customers.customer", "", ""),
        ("search", "customers.customer", "", "acme"),
        ("object", "customers.customer", str(customer), ""),
        ("object", "customers.customer", str(customer), ""),
        ("search", "search", "", "acme"),
        ("list", "invoicing.invoice", "", ""),
        ("object", "customers.customer", str(customer), ""),  # the statement
        ("file", "platform.auditentry", "", ""),
        ("list", "report", "", ""),
        ("search", "search", "", "acme"),
    ]
    assert {(one.user_label, one.address, one.client) for one in rows[:6]} == {("finance_admin", "127.0.0.1", "Lynx")}
    assert "Lynx" in finance.get(LOOKS).content.decode()

    finance.post(f"{LOOKS}switch_off/", {"_do": "1", "reason": "over"})
    before = PersonalDataView.objects.count()
    finance.get(_personal(company)[0])
    assert PersonalDataView.objects.count() == before


def test_who_may_switch(auditor: Client, company: Company) -> None:
    assert auditor.get(LOOKS).status_code == 200
    for verb in ("switch_on", "switch_off"):
        assert auditor.post(f"{LOOKS}{verb}/", {"_do": "1", "reason": "x"}).status_code == 403


def test_jobs_look_at_nothing() -> None:
    personal_views.switch(is_on=True, reason="", actor=make.ACTOR, at=NOW)
    look = personal_views.Look("list", "customers.customer", "/x")
    assert personal_views.note(look=look, actor=make.ACTOR, at=NOW) is None
    assert not PersonalDataView.objects.exists()


def _personal(company: Company) -> list[str]:
    customer = company.customers[0].pk
    return [
        "/admin/customers/customer/",
        "/admin/customers/customer/?q=acme",
        f"/admin/customers/customer/{customer}/change/",
        f"/admin/customers/customer/{customer}/history/",
        "/admin/search/?s=acme",
        "/admin/invoicing/invoice/",
    ]
