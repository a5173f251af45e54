"""What becomes of a rehearsal after it was computed: parked since, signed off, billed; and what is asked before it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from billing.admin import rehearsal_lines, rehearsal_outlook
from billing.models import Rehearsal, RehearsedInvoice
from billing.queries import rehearsal_outlook as known
from billing.services import parked_accounts
from config.platform.admin.verbs import WEIGHED_AGAIN
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import migration_stories as people
from tests.factories.billing import instant
from tests.factories.platform import ACTOR
from tests.factories.rehearsals import FEBRUARY, bill, rehearse, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    found = Client()
    found.force_login(User.objects.create_superuser("looker"))
    return found


@pytest.fixture
def customers() -> list[Customer]:
    """Four customers of one plan of 10.00, with 19 % 11.90; the first uses something too."""
    entity = parties.make_entity(taxes=[parties.make_tax()])
    plan = goods.make_plan("basic", cents=1000, charges=[goods.standard(goods.make_metric("requests"), "0.10")])
    found = [parties.make_customer(entity, f"c{number}") for number in range(4)]
    for one in found:
        made.make_subscription(one, plan, one.external_id, at=instant("2026-02-01"))
    return found


def park(customer: Customer) -> Any:
    return parked_accounts.park(customer_id=customer.pk, reason="Asks.", actor=ACTOR, at=instant(FEBRUARY))


def url(name: str, row: Any) -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_{name}", args=[row.pk])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_what_is_parked_after_the_rehearsal_is_told_until_the_sum_is_billed(
    client: Client, customers: list[Customer]
) -> None:
    row = rehearse(FEBRUARY, people.person("anna"))
    hashes = list(RehearsedInvoice.objects.values_list("inputs_sha256", flat=True))
    assert row.invoices_count == 4
    assert "parked since" not in text(client, url("change", row))
    park(customers[3])
    briefly = park(customers[2])

    (since,) = known.parked_since(rehearsal_id=row.pk)
    assert (since.invoices_count, since.accounts_count, str(since.total.amount)) == (2, 2, "23.8000")
    # 4 × 11.90 = 47.60, less 2 × 11.90 = 23.80
    for name in ("change", "sign_off"):
        page = text(client, url(name, row))
        assert "What the run will bill" in page
        assert "will bill 2, 2 parked since" in page
        assert "€47.60" in page
        assert page.count("€23.80") >= 2
    assert text(client, url("change", row)).count(">parked since<") == 2  # each row
    one = RehearsedInvoice.objects.get(customer=customers[3])
    assert "Parked since by" in text(client, url("change", one))
    assert "parked since" in text(client, reverse("admin:billing_rehearsedinvoice_changelist"))

    signed = sign(row, people.person("ben"))
    parked_accounts.release(parked_id=briefly.pk, reason="", actor=ACTOR, at=instant(FEBRUARY))
    made.send("c0", "requests", "2026-02-10")
    assert "will bill 3, 1 parked since" in text(client, url("bill", signed))
    assert list(RehearsedInvoice.objects.values_list("inputs_sha256", flat=True)) == hashes

    run = bill(signed)

    assert (run.invoices_count, run.failures_count) == (2, 1)  # who was released in time is billed as rehearsed
    billed = Rehearsal.objects.get()
    assert known.became(rehearsal=billed) == known.Became(4, billed=2, refused=1, parked=1, failed=0, unagreed=0)
    page = text(client, url("change", billed))
    assert f"{run} billed it: 4 invoices = 2 billed + 1 refused + 1 parked." in page
    assert "parked since" not in page
    refused = run.items.get(error_code="inputs_changed")
    # The metric was not used before: price and plan are those of the line that came, and did not change.
    assert refused.error.startswith(
        "Changed since the sign-off: usage of requests (was nothing, is 1 in 1 events). It would come to 12.02 EUR"
    )
    assert "Refused or failed" in text(client, reverse("admin:billing_billingrun_change", args=[run.pk]))


def test_who_was_parked_in_it_and_is_released_after_the_sign_off_is_refused(customers: list[Customer]) -> None:
    waiting = park(customers[0])
    row = sign(rehearse(FEBRUARY, people.person("anna")), people.person("ben"))
    parked_accounts.release(parked_id=waiting.pk, reason="", actor=ACTOR, at=instant(FEBRUARY))

    run = bill(row)

    assert "was not rehearsed. The account was parked." in run.items.get(error_code="inputs_changed").error
    found = known.became(rehearsal=Rehearsal.objects.get())
    assert found == known.Became(3, billed=3, refused=0, parked=0, failed=0, unagreed=1)


def test_each_column_of_a_rehearsed_invoice_adds_up(customers: list[Customer]) -> None:
    row = rehearse(FEBRUARY, people.person("anna")).invoices.order_by("pk")[0]
    lines = rehearsal_lines.table(row, may_park=False).rows
    assert [(str(line.cells[0]), "€" in str(line.cells[4])) for line in lines[-2:]] == [("Tax", True), ("Total", True)]
    assert "€1.90" in str(lines[-2].cells[4])


def test_words_for_the_record_are_filled_in_after_it_was_weighed(client: Client, customers: list[Customer]) -> None:
    address = reverse("admin:billing_rehearsal_rehearse")
    asked = {"day": "2026-03-01", "clock": "02:00", "zone": "UTC", "reason": ""}
    shown = client.post(address, asked)
    asked |= {"weighed": shown.context["weighed"], "shown": shown.context["form"]["shown"].value()}
    assert asked["shown"] == "4"

    other = client.post(address, {**asked, "clock": "03:00"})
    assert WEIGHED_AGAIN in other.content.decode()
    assert not Rehearsal.objects.exists()

    done = client.post(address, {**asked, "shown": "1", "reason": "Month end"})
    assert done.status_code == 302
    row = Rehearsal.objects.get()
    assert row.reason == "Month end"
    told = [str(message) for message in get_messages(done.wsgi_request)]
    assert told == [f"{row} was handed to a worker: 4 customers, 3 more than shown."]


def test_whose_day_has_not_begun_is_told(client: Client, customers: list[Customer]) -> None:
    Customer.objects.filter(pk=customers[0].pk).update(timezone="America/New_York")
    address = reverse("admin:billing_rehearsal_rehearse")
    asked = {"day": "2026-03-01", "clock": "02:00", "zone": "UTC", "reason": ""}
    assert "1 customer becomes due later that day" in client.post(address, asked).content.decode()
    assert "due later that day" not in client.post(address, {**asked, "clock": "12:00"}).content.decode()


@pytest.mark.parametrize(
    ("after", "at"),
    [
        (instant("2026-03-01T02:00"), instant("2026-03-01T02:10")),
        (instant("2026-03-01T02:10"), instant("2026-03-01T02:10")),
        (instant("2026-03-01T02:10") + timedelta(seconds=1), instant("2026-03-01T03:10")),
        (instant("2026-03-01T23:59"), instant("2026-03-02T00:10")),
    ],
)
def test_the_scheduler_comes_at_its_minute(after: datetime, at: datetime) -> None:
    assert rehearsal_outlook.next_run(after=after) == at
