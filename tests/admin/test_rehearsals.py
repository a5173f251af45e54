"""Rehearsals in the admin: rehearse, review, park, sign off as a second person, bill, and be told what was refused."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import openpyxl
import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.db import connection
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from moneyed import Money

from billing.admin import rehearsals as rehearsals_admin
from billing.domain.bill_differences import Cause
from billing.domain.usage_events import EventIn
from billing.models import BillingRunItem, OutlierRule, ParkedAccount, Rehearsal, RehearsedInvoice
from billing.queries import rehearsals as known
from billing.services import outlier_rules, parked_accounts, rehearsal_billing, rehearsal_computing, rehearsals, usage
from billing.services.outlier_rules import RuleValues
from config.kernel.actors import Actor
from invoicing.models import Invoice
from tests.admin.conftest import NOW, signed_in
from tests.factories.company import Company
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

JUNE = datetime(2026, 6, 1, 12, tzinfo=UTC)
MOST_QUERIES = 30


def person(name: str, role: str = "Finance admin") -> User:
    user = User.objects.create_user(name, first_name=name.title(), last_name="Smith", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def actor(user: User) -> Actor:
    return Actor(kind="user", label=user.get_full_name(), user_id=user.pk)


@dataclass(frozen=True)
class Month:
    """The run of 1 June as it was rehearsed on 20 May, and the two people whom it takes."""

    row: Rehearsal
    eva: User
    ben: User


@pytest.fixture(scope="module")
def month(company: Company, django_db_blocker: pytest.FixtureRequest) -> Month:
    """Asked for by Eva; the second customer is parked, whoever is above one euro flagged. Undone with the company."""
    with django_db_blocker.unblock(), time_machine.travel(NOW, tick=False):
        eva, ben = person("eva"), person("ben")
        OutlierRule.objects.all().delete()
        rule = RuleValues("Above one euro", OutlierRule.Kind.ABOVE_AMOUNT.value, amount=Money("1.00", "EUR"))
        outlier_rules.create(values=rule, actor=ACTOR, at=NOW)
        since = NOW - timedelta(days=3)
        second = company.customers[1].pk
        parked_accounts.park(customer_id=second, reason="Disputes its usage.", actor=actor(eva), at=since)
        row = rehearsals.request(as_of=JUNE, reason="Month end May", actor=actor(eva), at=NOW)
        return Month(rehearsal_computing.compute(rehearsal_id=row.pk, at=NOW), eva, ben)


@pytest.fixture
def rehearsed(month: Month, db: None) -> Rehearsal:
    return Rehearsal.objects.get(pk=month.row.pk)


@pytest.fixture
def eva(month: Month, db: None) -> User:
    return month.eva


@pytest.fixture
def ben(month: Month, db: None) -> User:
    return month.ben


def url(name: str, row: Any) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[row.pk])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def sign(row: Rehearsal, client: Client, **values: Any) -> Any:
    ticks = {"seen": row.flagged_count, "flagged": "on", "failures": "on", "remark": "Checked with sales."}
    return client.post(url("sign_off", row), {**ticks, **values})


# --- The way of a month end -----------------------------------------------------------------------------------------


def test_rehearsing_is_weighed_first_and_handed_to_a_worker(eva: User) -> None:
    client = browser(eva)
    address = reverse("admin:billing_rehearsal_rehearse")
    fresh = client.get(address).context["form"].initial
    assert (fresh["day"].isoformat(), fresh["clock"]) == ("2026-06-01", "12:00")  # when something is due next
    asked = {"day": "2026-06-01", "clock": "14:00", "zone": "Europe/Berlin", "reason": "Month end May"}

    weighed = client.post(address, asked)
    assert "Due by plan" in weighed.content.decode()
    assert Rehearsal.objects.count() == 1
    done = client.post(address, {**asked, "weighed": weighed.context["weighed"]})
    row = Rehearsal.objects.order_by("-pk")[0]
    assert done.status_code == 302
    assert (row.as_of, row.state, row.reason, row.requested_by) == (JUNE, "waiting", "Month end May", eva)
    page = text(client, url("change", row))
    assert "Waits for a worker" in page
    assert url("progress", row) in page


def test_what_makes_no_moment_is_told_beside_its_field(eva: User) -> None:
    client = browser(eva)
    address = reverse("admin:billing_rehearsal_rehearse")
    asked = {"day": "2028-06-01", "clock": "14:00", "zone": "UTC", "reason": ""}
    asked["weighed"] = client.post(address, asked).context["weighed"]
    assert "at most 400 days ahead" in client.post(address, asked).content.decode()
    assert "Write it like 12:00" in client.post(address, {**asked, "clock": "noon"}).content.decode()
    odd = client.post(address, {**asked, "zone": "Mars/Base", "day": "0001-01-01"}).context["form"]
    assert set(odd.errors) == {"day", "zone"}
    assert Rehearsal.objects.count() == 1


def test_the_page_says_what_it_comes_to_and_why(eva: User, rehearsed: Rehearsal, company: Company) -> None:
    page = text(browser(eva), url("change", rehearsed))
    assert rehearsed.state == "ready"
    assert rehearsed.parked_count == 1
    euros = next(one for one in known.sums(rehearsal_id=rehearsed.pk) if one.currency == "EUR")
    assert euros.previous + sum(euros.causes.values(), Money(0, "EUR")) == euros.total  # the chart ends where it should
    told = ("From last period to this run", "By cause", "Flagged invoices", "Disputes its usage.")
    assert [part for part in (*told, company.customers[1].display_name) if part not in page] == []
    assert "another person signs it off" in page  # whoever asked does not
    assert Invoice.objects.filter(created_at__gte=NOW).count() == BillingRunItem.objects.count()  # none but the run's


def test_two_people_are_needed(eva: User, ben: User, rehearsed: Rehearsal) -> None:
    assert rehearsed.flagged_count > 0
    refused = sign(rehearsed, browser(eva))
    assert "Whoever asked for a rehearsal does not sign it off: a second person does." in refused.content.decode()

    client = browser(ben)
    form = client.get(url("sign_off", rehearsed)).context["form"]
    assert str(rehearsed.flagged_count) in form.fields["flagged"].label
    assert "failures" not in form.fields  # nobody fails
    unticked = sign(rehearsed, client, flagged="")
    assert "part of what you sign" in unticked.content.decode()
    outdated = sign(rehearsed, client, seen=rehearsed.flagged_count - 1)
    assert "invoices are flagged" in outdated.content.decode()
    rehearsed.refresh_from_db()
    assert rehearsed.state == "ready"

    assert sign(rehearsed, client).status_code == 302
    rehearsed.refresh_from_db()
    assert (rehearsed.state, rehearsed.signed_off_by, rehearsed.remark) == ("signed_off", ben, "Checked with sales.")
    assert "once its time has come" in client.post(url("bill", rehearsed)).content.decode()


def test_the_run_bills_what_was_signed_off_and_tells_what_changed(
    eva: User, ben: User, rehearsed: Rehearsal, company: Company
) -> None:
    sign(rehearsed, browser(ben))
    changed = company.subscriptions[0]
    event = {
        "transaction_id": "late-one",
        "code": "requests",
        "external_subscription_id": changed.external_id,
        "timestamp": "2026-05-21T08:00:00Z",
        "properties": {"region": "eu", "gigabytes": "2"},
    }
    with time_machine.travel(JUNE + timedelta(hours=1), tick=False):
        usage.ingest(events=[msgspec.json.decode(json.dumps(event), type=EventIn)], received_at=JUNE)
        client = browser(ben)
        assert client.post(url("bill", rehearsed)).status_code == 302
        waiting = text(client, url("change", rehearsed))
        assert f"{rehearsed} is being billed" in waiting
        assert client.get(url("progress", rehearsed)).json()["is_waiting"] is True
        run = rehearsal_billing.bill_asked(rehearsal_id=rehearsed.pk, at=JUNE + timedelta(hours=1))
        assert run is not None
        page, told = text(client, url("change", run)), text(client, url("change", rehearsed))

    refused = BillingRunItem.objects.get(run=run, error_code="inputs_changed")
    assert refused.customer == changed.customer
    assert refused.error in page.replace("&#x27;", "'").replace("&quot;", '"')
    assert "Refused: inputs changed since the sign-off" in page
    assert url("change", rehearsed) in page
    assert "Disputes its usage." in page  # left out, and no failure
    assert f"{run} billed it" in told
    assert Invoice.objects.filter(run_item__run=run).count() == run.invoices_count == rehearsed.invoices_count - 1


def test_a_dropped_one_can_only_be_read_and_repeated(eva: User, rehearsed: Rehearsal) -> None:
    client = browser(eva)
    assert client.post(url("drop", rehearsed), {"reason": "Prices were wrong."}).status_code == 302
    assert "nobody can bill it" in text(client, url("change", rehearsed))
    for verb in ("sign_off", "bill", "drop"):
        assert client.post(url(verb, rehearsed), {"reason": "x"}).status_code == 302  # led back, with the reason
    client.post(url("again", rehearsed))
    newest = Rehearsal.objects.order_by("-pk")[0]
    assert (newest.as_of, newest.state, newest.reason) == (JUNE, "waiting", "Month end May")
    rehearsed.refresh_from_db()
    assert rehearsed.state == "dropped"


def test_a_run_cannot_be_started_where_sign_off_is_needed(finance: Client) -> None:
    setting = reverse("admin:billing_rehearsal_setting")
    start = reverse("admin:billing_billingrun_start")
    finance.post(setting, {"billing_needs_sign_off": "on"})
    assert finance.get(setting).context["form"].initial == {"billing_needs_sign_off": True}
    assert "rehearse the run and have it signed off" in text(finance, start)
    assert "rehearse the run and have it signed off" in finance.post(start).content.decode()
    finance.post(setting, {})
    assert finance.post(start).status_code == 302


# --- Progress -------------------------------------------------------------------------------------------------------


def test_progress_is_a_small_answer(eva: User, company: Company) -> None:
    row = rehearsals.request(as_of=JUNE, reason="", actor=actor(eva), at=NOW)
    Rehearsal.objects.filter(pk=row.pk).update(
        state="running", customers_total=8, customers_done=2, flagged_count=1, started_at=NOW - timedelta(seconds=4)
    )
    client = browser(eva)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url("progress", row))
    assert len(captured) <= 5  # session, person, two for rights, the row
    assert "no-store" in answer["Cache-Control"]
    found = answer.json()
    assert (found["is_running"], found["done"], found["total"], found["percent"]) == (True, 2, 8, 25)
    assert found["texts"]["count"] == "2 of 8 customers"
    assert found["texts"]["flagged"] == "1"
    # 2 in 4 s is 30 a minute, and 6 are left: 12 s.
    assert found["texts"]["pace"] == "30 a minute · about 12 s left"
    page = text(client, url("change", row))
    assert '<noscript> <a class="q-link" href="">' in page
    assert "<script>" not in page
    assert client.post(url("progress", row)).status_code == 405
    assert client.get(url("progress", row).replace(f"/{row.pk}/", "/999999/")).status_code == 404


# --- Files, lists, queries ------------------------------------------------------------------------------------------


def test_a_file_has_every_row(eva: User, rehearsed: Rehearsal) -> None:
    client = browser(eva)
    answer = client.get(url("file", rehearsed), {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    stored = list(RehearsedInvoice.objects.filter(rehearsal=rehearsed).order_by("pk"))
    assert [row["Customer id"] for row in rows] == [one.customer.external_id for one in stored]
    for row, one in zip(rows, stored, strict=True):
        assert row["This run"] == ("" if one.total_amount is None else f"{one.total_amount.amount:.2f}")
        assert row["Difference"] == ("" if one.difference_amount is None else f"{one.difference_amount.amount:.2f}")
        assert row["Flags"] == "; ".join(flag["says"] for flag in one.flags)
    assert [row["State"] for row in rows].count("parked") == 1

    book = client.get(url("file", rehearsed), {"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(book.getvalue())).active
    assert [cell.value for cell in sheet[1]] == list(rows[0])
    assert sheet.max_row == 1 + len(stored)


def test_more_rows_cost_no_queries(eva: User, rehearsed: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(eva)
    monkeypatch.setattr(rehearsals_admin, "ROWS", 1)
    monkeypatch.setattr(rehearsals_admin, "FLAGGED", 1)
    few = queries(client, url("change", rehearsed))
    monkeypatch.setattr(rehearsals_admin, "ROWS", 100)
    monkeypatch.setattr(rehearsals_admin, "FLAGGED", 100)
    assert queries(client, url("change", rehearsed)) <= few <= MOST_QUERIES


@pytest.mark.parametrize("name", ["rehearsal", "rehearsedinvoice", "parkedaccount", "outlierrule"])
def test_lists_stay_quick_and_survive_anything(
    superuser: Client, rehearsed: Rehearsal, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {one._meta.model_name: one for one in (Rehearsal, RehearsedInvoice, ParkedAccount, OutlierRule)}[name]
    model_admin = rehearsals_admin.pages.admin.site.get_model_admin(model)
    address = f"/admin/billing/{name}/"
    monkeypatch.setattr(model_admin, "list_per_page", 1)
    one = queries(superuser, address)
    monkeypatch.setattr(model_admin, "list_per_page", 100)
    assert queries(superuser, address) <= one <= MOST_QUERIES
    for query in (
        "q=%00",
        "q=' OR 1=1",
        "rehearsal=abc&flagged=maybe&cause=magic&outcome=x&currency=XXX",
        f"rehearsal={'9' * 30}&difference_amount_from=NaN&total_amount_to=1e999",
        "state=nowhere&parked_at_from=32.13.2026&is_active__exact=x&p=999&o=99",
    ):
        assert superuser.get(f"{address}?{query}").status_code in (200, 302), query


def test_rehearsed_invoices_are_narrowed(
    finance: Client, rehearsed: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")  # what is found counts, not how it looks
    stored = RehearsedInvoice.objects.filter(rehearsal=rehearsed)

    def found(query: str) -> set[int]:
        answer = finance.get(f"/admin/billing/rehearsedinvoice/?{query}")
        return {row.pk for row in answer.context_data["cl"].result_list}

    every = set(stored.values_list("pk", flat=True))
    flagged = set(stored.filter(is_flagged=True).values_list("pk", flat=True))
    assert found("") == found(f"rehearsal={rehearsed.pk}") == every  # the newest one, unless another is asked for
    assert found("flagged=yes") == found("flagged=above_amount") == flagged != set()
    assert found("flagged=no") == every - flagged
    assert found("outcome=parked") == set(stored.filter(error_code="parked").values_list("pk", flat=True)) != set()
    assert found("currency=USD") | found("currency=EUR") >= found("outcome=invoice")
    assert found("cause=quantity") == set(known.with_cause(stored, cause=Cause.QUANTITY).values_list("pk", flat=True))
    assert found("rehearsal=999999") == set()
    sizes = [
        abs(row.difference_amount.amount)
        for row in finance.get("/admin/billing/rehearsedinvoice/").context_data["cl"].result_list
        if row.difference_amount is not None
    ]
    assert sizes == sorted(sizes, reverse=True)  # the largest first


def test_a_rehearsed_invoice_stands_beside_the_one_before(finance: Client, rehearsed: Rehearsal) -> None:
    row = RehearsedInvoice.objects.filter(rehearsal=rehearsed, error_code="", previous__isnull=False).order_by("pk")[0]
    page = text(finance, url("change", row))
    for pair in known.lines(row):
        assert (pair.now or pair.before).label in page.replace("&#x27;", "'")
    assert "Line by line" in page
    assert str(row.previous) in page
    assert all(flag["says"] in page.replace("&#x27;", "'") for flag in row.flags)
    left_out = RehearsedInvoice.objects.get(rehearsal=rehearsed, error_code="parked")  # nothing was computed of it
    assert "Disputes its usage." in text(finance, url("change", left_out))


# --- Who may what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("Finance admin", {"rehearse", "setting", "sign_off", "again", "drop", "park", "release", "add"}),
        ("Accountant", {"rehearse", "again", "drop", "park", "release"}),
        ("Auditor", set()),
        ("Engineer", set()),
    ],
)
def test_roles(rehearsed: Rehearsal, role: str, may: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(role)
    one = RehearsedInvoice.objects.filter(rehearsal=rehearsed, error_code="").order_by("pk")[0]
    parked = ParkedAccount.objects.get()
    verbs = {
        "rehearse": reverse("admin:billing_rehearsal_rehearse"),
        "setting": reverse("admin:billing_rehearsal_setting"),
        "sign_off": url("sign_off", rehearsed),
        "again": url("again", rehearsed),
        "drop": url("drop", rehearsed),
        "park": url("park", one),
        "release": url("release", parked),
        "add": reverse("admin:billing_outlierrule_add"),
    }
    with monkeypatch.context() as unseen:
        unseen.setattr(SimpleTemplateResponse, "rendered_content", "")
        assert {name for name, address in verbs.items() if client.get(address).status_code != 403} == may
    page = client.get(url("change", rehearsed))
    assert page.status_code == 200  # all of them may look
    assert ("Park the account" in page.content.decode()) is ("park" in may)
    assert json.loads(client.get(url("progress", rehearsed)).content)["is_running"] is False


def test_whoever_may_see_nothing_sees_nothing(rehearsed: Rehearsal) -> None:
    client = signed_in("Nobody")
    answers = {client.get(url(name, rehearsed)).status_code for name in ("change", "progress", "file", "history")}
    assert answers == {403}
