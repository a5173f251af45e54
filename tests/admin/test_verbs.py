"""What can be done in the admin: looked at first, done once, refused with a word where the state refuses."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from billing.models import BilledPeriod, BillingRun, Subscription
from config.platform.admin import cells
from config.platform.models import AuditEntry
from invoicing.models import Delivery, Invoice, Payment
from invoicing.queries import receivables
from tests.admin import addresses
from tests.admin.conftest import signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


def url(invoice: Invoice, verb: str) -> str:
    return f"/admin/invoicing/invoice/{invoice.pk}/{verb}/"


def words(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.fixture
def draft(company: Company) -> Invoice:
    return Invoice.objects.filter(status="draft").order_by("pk").first()


@pytest.fixture
def owed(company: Company) -> Invoice:
    return receivables.open_invoices().filter(paid_amount=0).order_by("pk").first()


@pytest.fixture
def paid(company: Company) -> Invoice:
    return Invoice.objects.filter(payment_status="succeeded").order_by("pk").first()


def test_finalize(finance: Client, draft: Invoice) -> None:
    before = addresses.fingerprint()
    asked = finance.get(url(draft, "finalize"))
    assert asked.status_code == 200
    assert b"Finalize the invoice" in asked.content
    assert addresses.fingerprint() == before

    done = finance.post(url(draft, "finalize"), {"_do": "1"})
    draft.refresh_from_db()
    assert done.status_code == 302
    assert done.url == f"/admin/invoicing/invoice/{draft.pk}/change/"
    assert draft.status == "finalized"
    assert words(done) == [f"The invoice was finalized as {draft.number}."]
    entry = AuditEntry.objects.filter(object_type="invoicing.invoice", object_id=draft.pk, verb="finalize").get()
    assert (entry.actor_kind, entry.actor_label, entry.user.username) == ("user", "finance_admin", "finance_admin")


def test_finalizing_twice_is_refused(finance: Client, draft: Invoice) -> None:
    finance.post(url(draft, "finalize"), {"_do": "1"})
    number = Invoice.objects.get(pk=draft.pk).number
    again = finance.post(url(draft, "finalize"), {"_do": "1"})
    assert again.status_code == 302
    assert words(again)[-1] == "An invoice that is finalized refuses: finalize."
    assert Invoice.objects.get(pk=draft.pk).number == number


def test_void_needs_a_reason(finance: Client, draft: Invoice) -> None:
    refused = finance.post(url(draft, "void"), {"_do": "1"})
    assert refused.status_code == 200
    assert b"This field is required" in refused.content
    assert Invoice.objects.get(pk=draft.pk).status == "draft"

    finance.post(url(draft, "void"), {"_do": "1", "reason": "wrong price"})
    draft.refresh_from_db()
    assert (draft.status, draft.number) == ("voided", None)
    assert AuditEntry.objects.get(object_id=draft.pk, verb="void").reason == "wrong price"
    assert BilledPeriod.objects.get(invoice=draft).released_at is not None


def test_computing_anew_without_late_usage_says_so(finance: Client, draft: Invoice) -> None:
    done = finance.post(url(draft, "refresh"), {"_do": "1"})
    assert "as before" in words(done)[0]
    assert Invoice.objects.get(pk=draft.pk).total_amount == draft.total_amount


def test_record_payment(finance: Client, owed: Invoice) -> None:
    due = owed.total_amount.amount
    asked = finance.get(url(owed, "pay"))
    assert asked.context["form"]["amount"].value() == due.quantize(Decimal("0.01"))
    assert not Payment.objects.filter(allocations__invoice=owed).exists()

    done = finance.post(url(owed, "pay"), {"amount": "10.00", "paid_on": "2026-05-12", "reference": "SEPA 7"})
    owed.refresh_from_db()
    assert done.status_code == 302
    assert (owed.paid_amount.amount, owed.payment_status) == (Decimal(10), "pending")
    payment = Payment.objects.get(reference="SEPA 7")
    # 12 May begins in Berlin at 22:00 of the day before in UTC.
    assert payment.paid_at == datetime(2026, 5, 11, 22, tzinfo=UTC)


def test_a_payment_is_recorded_once_however_often_the_button_is_pressed(finance: Client, owed: Invoice) -> None:
    content = {"amount": "10.00", "paid_on": "2026-05-12", "reference": "SEPA 8", "once": str(uuid.UUID(int=8))}
    first = finance.post(url(owed, "pay"), content)
    second = finance.post(url(owed, "pay"), content)
    assert (first.status_code, second.status_code) == (302, 302)
    assert Payment.objects.filter(reference="SEPA 8").count() == 1
    owed.refresh_from_db()
    assert owed.paid_amount.amount == Decimal(10)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"amount": "100000.00"}, "that is open."),
        ({"amount": "0"}, "A payment has to be more than zero."),
        ({"amount": "-1"}, "A payment has to be more than zero."),
        ({"amount": "0.001"}, "finer than the currency"),
        ({"amount": "ten"}, "Enter a number"),
        ({"paid_on": "2026-05-21"}, "This day has not come yet"),
        ({"paid_on": "32.13.2026"}, "Enter a valid date"),
    ],
)
def test_a_wrong_payment_is_refused_beside_the_form(
    finance: Client, owed: Invoice, content: dict[str, str], said: str
) -> None:
    before = addresses.fingerprint()
    answer = finance.post(url(owed, "pay"), {"amount": "1.00", "paid_on": "2026-05-12", **content})
    assert answer.status_code == 200
    errors = " ".join(str(error) for errors in answer.context["form"].errors.values() for error in errors)
    assert said in errors or "This value" in errors or "valid" in errors
    assert addresses.fingerprint() == before


def test_paying_too_much_says_what_is_open(finance: Client, owed: Invoice) -> None:
    due = cells.money_text(receivables.owed(owed))
    answer = finance.post(url(owed, "pay"), {"amount": "100000.00", "paid_on": "2026-05-12"})
    assert answer.context["form"].errors["amount"] == [
        (
            f"More than the {due} that is open. Record that much here, and what is left of the payment at another "
            "open invoice of the customer; or pay the rest back."
        )
    ]
    assert "Invalid value" not in answer.content.decode()


def test_a_paid_invoice_takes_no_payment(finance: Client, paid: Invoice) -> None:
    answer = finance.get(url(paid, "pay"))
    assert answer.status_code == 302
    assert words(answer) == ["Nothing is due of this invoice."]


def test_send_again(finance: Client, paid: Invoice) -> None:
    count = Delivery.objects.filter(invoice=paid).count()
    done = finance.post(url(paid, "send"), {"_do": "1"})
    assert done.status_code == 302
    assert "is on its way to accounts" in words(done)[0]
    assert Delivery.objects.filter(invoice=paid).count() == count + 1


def test_it_is_sent_to_whom_somebody_names(finance: Client, paid: Invoice) -> None:
    to = {"to": "a@example.com, b@example.com", "cc": "c@example.com", "bcc": "d@example.com"}
    wrong = finance.post(url(paid, "send"), {"_do": "1", **to, "cc": "nobody"})
    done = finance.post(url(paid, "send"), {"_do": "1", **to})

    assert (wrong.status_code, done.status_code) == (200, 302)
    delivery = Delivery.objects.filter(invoice=paid).latest("number")
    assert (delivery.recipients, delivery.cc, delivery.bcc) == (
        ["a@example.com", "b@example.com"],
        ["c@example.com"],
        ["d@example.com"],
    )


def test_sending_without_an_address_is_refused_on_the_page(finance: Client, company: Company) -> None:
    invoice = Invoice.objects.filter(customer=company.customers[3], number__isnull=False).first()
    answer = finance.post(url(invoice, "send"), {"_do": "1"})
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors()
    assert not Delivery.objects.filter(invoice=invoice).exists()


def test_buttons_follow_state_and_right(company: Company, draft: Invoice, paid: Invoice, owed: Invoice) -> None:
    def shown(client: Client, invoice: Invoice) -> list[str]:
        page = client.get(f"/admin/invoicing/invoice/{invoice.pk}/change/")
        stand = [*page.context["actions_page"], *page.context["actions_detail"]]
        return [button["title"] for button in stand if "name" in button]  # links have none

    finance, auditor = signed_in("Finance admin"), signed_in("Auditor")
    assert shown(finance, draft) == ["Finalize", "Compute anew"]
    assert shown(finance, owed) == [
        "Record payment",
        "Send" if not owed.deliveries.exists() else "Send again",
        "Credit",
    ]
    owed.deliveries.all().delete()
    assert shown(finance, owed) == ["Record payment", "Send", "Credit"]
    assert shown(finance, paid) == ["Send again", "Credit"]
    assert shown(auditor, draft) == shown(auditor, owed) == []


def test_bulk_gives_a_result_for_each_row(finance: Client, draft: Invoice, paid: Invoice) -> None:
    chosen = finance.post(
        "/admin/invoicing/invoice/", {"action": "finalize", "_selected_action": [draft.pk, paid.pk], "index": "0"}
    )
    assert chosen.status_code == 302
    assert Invoice.objects.get(pk=draft.pk).status == "draft"

    asked = finance.get(chosen.url)
    rows = {row.cells[0]: row.cells[2] for row in asked.context["blocks"][0].rows}
    assert sorted(rows.values()) == ["", "An invoice that is finalized refuses: finalize."]

    done = finance.post("/admin/invoicing/invoice/bulk/finalize/", {"ids": f"{draft.pk},{paid.pk}", "_do": "1"})
    results = sorted(str(row.cells[2]) for row in done.context["blocks"][0].rows)
    number = Invoice.objects.get(pk=draft.pk).number
    assert results == ["An invoice that is finalized refuses: finalize.", f"The invoice was finalized as {number}."]


@pytest.mark.parametrize("ids", ["", "x", "1;DROP", "-1", "9" * 40, "١", ",,,"])
def test_bulk_survives_ids_that_are_none(finance: Client, company: Company, ids: str) -> None:
    answer = finance.get("/admin/invoicing/invoice/bulk/finalize/", {"ids": ids})
    assert answer.status_code == 200


def test_starting_a_run(finance: Client, company: Company, django_capture_on_commit_callbacks: Any) -> None:
    count = BillingRun.objects.count()
    quiet = finance.get("/admin/billing/billingrun/")
    assert "every 2s" not in quiet.content.decode()
    asked = finance.get("/admin/billing/billingrun/start/")
    assert b"Nothing is due" in asked.content
    assert BillingRun.objects.count() == count

    with django_capture_on_commit_callbacks(execute=True):
        done = finance.post("/admin/billing/billingrun/start/", {"_do": "1"})
    assert done.status_code == 302
    run = BillingRun.objects.order_by("-pk").first()
    assert BillingRun.objects.count() == count + 1
    assert (run.trigger, run.invoices_count, run.status) == ("started by finance_admin", 0, "succeeded")


def test_the_preview_of_a_run_counts_what_is_due(finance: Client, company: Company) -> None:
    subscription = company.subscriptions[0]
    Subscription.objects.filter(pk=subscription.pk).update(next_billing_date="2026-05-01")
    asked = finance.get("/admin/billing/billingrun/start/")
    figures = {figure.label: figure.value for figure in asked.context["blocks"][0].items}
    assert figures == {
        "Customers due": "1",
        "Subscriptions due": "1",
        "Oldest billing day": "1 May 2026",
        "Parked of them": "0",
    }


def test_terminate(finance: Client, company: Company) -> None:
    subscription = company.subscriptions[0]
    address = f"/admin/billing/subscription/{subscription.pk}/terminate/"
    invoices = Invoice.objects.count()
    assert finance.get(address).status_code == 200
    content = {"on_termination_invoice": "skip", "reason": "moved away"}
    weighed = finance.post(address, content).context["weighed"]
    done = finance.post(address, {**content, "weighed": weighed})
    subscription.refresh_from_db()
    assert done.status_code == 302
    assert subscription.status == "terminated"
    assert Invoice.objects.count() == invoices
    assert AuditEntry.objects.get(object_type="billing.subscription", verb="terminate").reason == "moved away"
    again = finance.get(address)
    assert again.status_code == 302
    assert words(again)[-1] == "A subscription that is terminated cannot be terminated."


def test_an_api_key_is_shown_once(company: Company) -> None:
    engineer = signed_in("Engineer")
    done = engineer.post("/admin/platform/apikey/create/", {"name": "Staging", "last_day": "", "preset": "everything"})
    assert done.status_code == 200
    assert "no-store" in done["Cache-Control"]
    secret = str(done.content).split("Bearer ")[1].split("<")[0]
    assert secret.startswith("qk_")
    listed = engineer.get("/admin/platform/apikey/")
    assert secret not in str(listed.content)
    assert not AuditEntry.objects.filter(new__icontains=secret).exists()
