"""Verbs on all rows that a list shows: counted, ordered once, done by a worker row by row, with a result for each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from billing.models import ParkedAccount
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import bulk_all
from config.platform.models import AuditEntry, BulkRow, BulkRun
from config.platform.services import bulk_runs
from config.platform.services.bulk_runs import Result
from invoicing.models import Invoice, PaymentRequest
from tests.admin.conftest import person
from tests.factories import invoicing as make
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 20, 10, 30, tzinfo=UTC)
LIST = "/admin/invoicing/invoice/"
DRAFTS = "status__exact=draft"


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker works when a test says so."""
    monkeypatch.setattr(bulk_runs.jobs, "enqueue", lambda *_, **__: None)


def finalize_all(query: str = DRAFTS) -> str:
    return f"{LIST}bulk/finalize/?all=1&query={quote(query)}"


def drafts() -> set[int]:
    return set(Invoice.objects.filter(status="draft").values_list("pk", flat=True))


def ordered(client: Client, query: str = DRAFTS) -> BulkRun:
    page = client.get(finalize_all(query))
    typed = {"counted": page.context["counted"], "once": str(page.context["form"]["once"].value())}
    answer = client.post(finalize_all(query), typed)
    run = BulkRun.objects.latest("id")
    assert answer.url == f"/admin/platform/bulkrun/{run.pk}/change/"
    assert client.post(finalize_all(query), typed).url == answer.url
    return run


def test_choosing_all_that_match_leads_to_their_number_and_changes_nothing(finance: Client, company: Company) -> None:
    waiting = drafts()
    some = str(next(iter(waiting)))
    ticked = {"action": "finalize", "_selected_action": [some], "select_across": "1"}
    answer = finance.post(f"{LIST}?{DRAFTS}&p=1", ticked)
    assert answer.url == finalize_all()
    page = finance.get(answer.url)
    assert page.context["counted"].startswith(f"{len(waiting)}.")
    assert f"all {len(waiting)}" in page.context["button"]
    assert finance.post(answer.url, {"counted": str(len(waiting) + 1)}).status_code == 200
    assert not BulkRun.objects.exists()
    assert drafts() == waiting


def test_an_order_is_done_row_by_row_with_a_result_for_each(finance: Client, company: Company) -> None:
    """Ordered of all invoices, once although sent twice: drafts are done, all others refused."""
    waiting = drafts()
    run = ordered(finance, "")
    assert (run.total, run.state, run.query) == (Invoice.objects.count(), "waiting", "")
    assert BulkRun.objects.count() == 1
    assert drafts() == waiting
    page = finance.get(f"/admin/platform/bulkrun/{run.pk}/change/").content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert bulk_runs.work(run_id=run.pk, at=AT) is False
    assert drafts() == set()
    outcomes = dict(run.rows.values_list("object_id", "outcome"))
    assert {pk for pk, outcome in outcomes.items() if outcome == "done"} == waiting != set()
    assert set(outcomes.values()) == {"done", "refused"}
    run.refresh_from_db()
    assert (run.state, run.ended_at) == ("ended", AT)
    by = AuditEntry.objects.filter(verb="finalize", object_type="invoicing.invoice", object_id=max(waiting)).get()
    assert by.actor_kind == "user"
    assert by.user_id == run.person_id
    before = AuditEntry.objects.count()
    assert bulk_runs.work(run_id=run.pk, at=AT) is False
    assert AuditEntry.objects.count() == before
    again = finance.get(f"/admin/platform/bulkrun/{run.pk}/change/", headers={"HX-Request": "true"})
    assert again.headers["HX-Refresh"] == "true"
    page = finance.get(f"/admin/platform/bulkrun/{run.pk}/change/").content.decode()
    assert "refused" in page
    assert "every 2s" not in page


def test_whoever_lost_the_right_has_every_row_refused(finance: Client, company: Company) -> None:
    run = ordered(finance)
    waiting = drafts()
    User.objects.get(pk=run.person_id).groups.clear()
    bulk_runs.work(run_id=run.pk, at=AT)
    assert drafts() == waiting
    assert set(run.rows.values_list("outcome", flat=True)) == {"refused"}


def test_orders_are_refused_to_others_and_seen_by_whom_they_are_of(
    finance: Client, auditor: Client, company: Company
) -> None:
    assert auditor.get(finalize_all()).status_code == 403
    assert auditor.post(finalize_all(), {"counted": "3"}).status_code == 403
    run = ordered(finance)
    for name in ("change", "history", "stop"):
        assert auditor.get(f"/admin/platform/bulkrun/{run.pk}/{name}/").status_code == 302
    auditor.post(f"/admin/platform/bulkrun/{run.pk}/stop/")
    run.refresh_from_db()
    assert run.state == "waiting"
    with pytest.raises(bulk_runs.NotYourRun):
        bulk_runs.stop(run_id=run.pk, actor=Actor("user", "x", run.person_id + 1), at=AT)
    waiting = drafts()
    finance.post(f"/admin/platform/bulkrun/{run.pk}/stop/")
    bulk_runs.sweep(as_of=AT)
    run.refresh_from_db()
    assert (run.state, drafts()) == ("stopped", waiting)
    assert set(run.rows.values_list("outcome", flat=True)) == {"skipped"}


@pytest.mark.parametrize("query", ["customer__id__exact=abc", "nothing__at__all=1", "o=99", "%00", "q=%00"])
def test_filters_that_are_none_lead_back(finance: Client, company: Company, query: str) -> None:
    assert finance.get(finalize_all(query)).status_code in (200, 302)
    assert not BulkRun.objects.exists()


def test_more_than_a_list_counts_is_refused(finance: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_runs, "MOST", 1)
    page = finance.get(finalize_all(""))
    assert "narrow the list down" in page.content.decode()
    answer = finance.post(finalize_all(""), {"counted": page.context["counted"]})
    assert "narrow the list down" in str(answer.context["form"].errors)
    assert not BulkRun.objects.exists()


def test_a_run_goes_on_where_it_was_left(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a message, five rows, one of which breaks: three messages, each row once, the broken one is refused."""
    monkeypatch.setattr(bulk_runs, "CHUNK", 2)
    seen: list[int] = []

    def perform(object_id: int, at: datetime) -> Result:
        seen.append(object_id)
        if object_id == 3:
            raise RuntimeError("broken")
        return Result(BulkRow.Outcome.DONE, f"No {object_id}")

    monkeypatch.setattr(bulk_runs, "_prepare", [lambda _: perform])
    run = _order(object_ids=[1, 2, 3, 4, 5, 5])
    assert run.total == 5
    assert [bulk_runs.work(run_id=run.pk, at=AT) for _ in range(4)] == [True, True, False, False]
    assert seen == [1, 2, 3, 4, 5]
    found = bulk_runs.counts(run.pk)
    assert (found["done"], found["refused"], found["waiting"]) == (4, 1, 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"object_ids": []}, "nothing_chosen"),
        ({"object_ids": range(bulk_runs.MOST + 1)}, "too_many"),
        ({"actor": Actor("api_key", "a key")}, "people_only"),
    ],
)
def test_orders_that_are_none(db: None, change: dict[str, Any], code: str) -> None:
    with pytest.raises(errors.DomainError) as refusal:
        _order(**change)
    assert refusal.value.code == code
    assert not BulkRun.objects.exists()


def _order(**change: Any) -> BulkRun:
    user = person("Nobody")
    usual = {
        "object_type": "invoicing.invoice",
        "verb": "finalize",
        "label": "Finalize drafts",
        "object_ids": [1],
        "query": "",
        "values": {},
        "actor": Actor("user", "Nobody", user.pk),
        "at": AT,
    }
    return bulk_runs.order(**{**usual, **change})


def test_other_rows_of_the_same_number_are_shown_again(finance: Client, company: Company) -> None:
    page = finance.get(finalize_all())
    shown = sorted(drafts())
    other = Invoice.objects.exclude(status="draft").values_list("pk", flat=True)[0]
    ids = [*shown[1:], other]
    typed = {"counted": bulk_all._counted(ids), "once": str(page.context["form"]["once"].value())}
    assert b"others than were shown" in finance.post(finalize_all(), typed).content
    assert not BulkRun.objects.exists()
    assert drafts() == set(shown)


def test_results_of_ticked_rows_are_kept_and_sent_as_files(finance: Client, company: Company) -> None:
    waiting, done = drafts(), Invoice.objects.exclude(status="draft").latest("pk")
    ids = ",".join(str(pk) for pk in [*waiting, done.pk])
    page = finance.post(f"{LIST}bulk/finalize/", {"ids": ids}).content.decode()
    run = BulkRun.objects.get()
    assert (run.state, run.total) == ("ended", len(waiting) + 1)
    for file_format in ("csv", "xlsx"):
        address = f"/admin/platform/bulkrun/{run.pk}/results.{file_format}"
        assert address in page
        content = b"".join(finance.get(address).streaming_content)  # type: ignore[attr-defined]
        assert content
        if file_format == "csv":
            assert f"{done},{done.pk},refused," in content.decode()
    other = person("Accountant")
    stranger = Client()
    stranger.force_login(other)
    assert stranger.get(f"/admin/platform/bulkrun/{run.pk}/results.csv").status_code == 302
    assert AuditEntry.objects.filter(verb="do in bulk", object_id=run.pk).count() == 1


def test_many_are_voided_asked_for_payment_and_parked(finance: Client, company: Company) -> None:
    customer = make.make_customer(make.make_entity("second"), "late", email="late@example.com")
    late = [make.issue(customer, "50.00"), make.issue(customer, "60.00")]
    Invoice.objects.filter(pk__in=[row.pk for row in late]).update(payment_overdue=True)
    ids = ",".join(str(row.pk) for row in late)
    for _ in range(2):
        finance.post(f"{LIST}bulk/remind/", {"ids": ids, "once": "11111111-1111-4111-8111-111111111111"})
    request = PaymentRequest.objects.get()  # one for both, sent twice or not
    assert request.amount.amount == 110

    finance.post(f"{LIST}bulk/void_many/", {"ids": ids})  # without a reason nothing is done
    assert set(Invoice.objects.filter(customer=customer).values_list("status", flat=True)) == {"finalized"}
    finance.post(f"{LIST}bulk/void_many/", {"ids": ids, "reason": "duplicates"})
    assert set(Invoice.objects.filter(customer=customer).values_list("status", flat=True)) == {"voided"}

    finance.post("/admin/customers/customer/bulk/park/", {"ids": str(customer.pk), "reason": "disputes all"})
    assert ParkedAccount.objects.get().customer_id == customer.pk
    accountant = Client()
    accountant.force_login(person("Auditor"))
    for address in (f"{LIST}bulk/void_many/", f"{LIST}bulk/remind/", "/admin/customers/customer/bulk/park/"):
        assert accountant.post(address, {"ids": ids}).status_code == 403
