"""The whole way as the roles walk it, in a browser, on a whole installation: from a quote to the corrected money.

Sales quotes, a manager approves, the customer accepts on the public page, usage arrives, finance rehearses, a second
person signs off, the run bills, the mail is out, a payment is recorded, a correction is made, and the auditor reads it
all and can change nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Browser

from billing.models import Contract, Quote, QuoteApprovalRule, Subscription
from billing.services import quote_approval_rules
from billing.services.quote_approval_rules import RuleValues
from config.kernel import dates
from config.platform.models import AuditEntry
from config.platform.services import approval_rules, installation, roles, schedule
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, Payment
from invoicing.services import approval_actions
from tests.e2e import people
from tests.e2e.house import House, eventually
from tests.e2e.people import at_work, hire, visitor
from tests.factories import catalog, platform, usage
from tests.factories import invoicing as parties

SALES, MANAGER, FINANCE, CONTROLLER, AUDITOR = "sam.doyle", "maya.lund", "finn.oduya", "carla.reyes", "aiko.tanaka"
BUYER = "Elbwerk Logistik GmbH"
MAIL = "einkauf@elbwerk.example"
CALLS = 1000


@dataclass(frozen=True)
class Known:
    """What the walk starts with."""

    house: House
    browser: Browser
    api_key: str
    first_day: date


@pytest.fixture
def known(lumen: House, chromium: Browser) -> Known:
    """A company that sells one plan, 100.00 a month and 0.10 a call, with 19 % VAT, and people of all roles."""
    at = timezone.now()
    first_day = dates.add_months(at.date().replace(day=1), -1)
    usage.clear()
    roles.ensure()
    installation.ensure(at=at)
    tax = parties.make_tax()
    parties.make_entity(
        "lumen",
        taxes=[tax],
        name="Lumen Hosting GmbH",
        country="DE",
        timezone="UTC",
        email="billing@lumen.example",
        document_number_prefix="LUM",
        email_settings=["invoice.finalized"],
    )
    calls = catalog.make_metric("calls", at=at)
    catalog.make_plan("gateway", cents=10_000, charges=[catalog.standard(calls, "0.10")], at=at)
    for username, role in (
        (SALES, "Sales"),
        (MANAGER, "Sales manager"),
        (FINANCE, "Finance admin"),
        (CONTROLLER, "Finance admin"),
        (AUDITOR, "Auditor"),
    ):
        hire(username, role)
    actor = platform.ACTOR
    discounts = RuleValues(
        "Deep discounts",
        QuoteApprovalRule.Subject.DISCOUNT,
        Decimal("0.2"),
        Group.objects.get(name="Sales manager").pk,
    )
    quote_approval_rules.create(values=discounts, actor=actor, at=at)
    large_credits = approval_rules.RuleValues(
        action=approval_actions.CREDIT_NOTE,
        group_id=Group.objects.get(name="Finance admin").pk,
        currency="EUR",
        above_amount=Decimal(5),
    )
    approval_rules.create(values=large_credits, actor=actor, at=at)
    installation.set_billing_needs_sign_off(needed=True, actor=actor, at=at)
    schedule.sync()
    # The scheduler would bill what is signed off by itself, within the hour; here somebody presses the button.
    PeriodicTask.objects.filter(name="billing").update(enabled=False)
    return Known(lumen, chromium, platform.make_key(at=at).secret, first_day)


@pytest.mark.django_db(transaction=True)
def test_from_a_quote_to_the_corrected_money(known: Known) -> None:
    """100.00 less 25 % is 75.00, and 1,000 calls are 100.00: 175.00, with 19 % VAT 208.25."""
    quote = _sales_quotes(known)
    _the_manager_approves(known, quote)
    link = _sales_sends(known, quote)
    _the_customer_accepts(known, link)
    subscription = _it_became_a_contract(known)
    _usage_arrives(known, subscription)
    _finance_rehearses_and_a_second_person_signs_off(known)
    invoice = _the_run_bills(known)
    _the_mail_is_out(known, invoice)
    _finance_records_the_payment(known, invoice)
    _a_correction_is_made_by_two(known, invoice)
    _the_auditor_reads_and_changes_nothing(known, quote, invoice)
    usage.clear()


def _sales_quotes(known: Known) -> Quote:
    with at_work(known.house, known.browser, SALES) as sam:
        sam.goto("/admin/billing/quote/").press("New quote")
        sam.choose("The quote is for", "somebody who is no customer yet")
        sam.fill("Name of the quote", "Gateway for a year")
        sam.fill("Company", BUYER).fill("E-mail", MAIL).fill("Street", "Am Sandtorkai 1")
        sam.fill("Postal code", "20457").fill("City", "Hamburg")
        sam.page.locator("[name=prospect_country]").select_option("DE")
        sam.page.locator("[name=i0p0-plan_code]").select_option("gateway")
        sam.page.locator("[name=i0p0-discount]").fill("25")
        sam.fill("First day", known.first_day.isoformat())
        # Sums come by themselves: 75.00 a month, 900.00 over the year; and who has to agree.
        sam.sees("€75.00", "€900.00", "Sales manager")
        sam.press("Save and submit").press("Submit it").sees("waiting for approval")
    quote = Quote.objects.get()
    assert [row.state for row in quote.versions.all()] == ["in_approval"]
    assert not Customer.objects.exists()  # whoever was quoted for is no customer yet
    return quote


def _the_manager_approves(known: Known, quote: Quote) -> None:
    with at_work(known.house, known.browser, SALES) as sam:
        refused = sam.page.request.get(f"{known.house.url}/admin/billing/quote/{quote.pk}/approve/")
        assert refused.status == 403  # sales has not the right
    with at_work(known.house, known.browser, MANAGER) as maya:
        maya.sees("Quotes to approve")
        maya.goto(f"/admin/billing/quote/{quote.pk}/change/").press("Approve")
        maya.sees("25%").press("I agree").sees("approved")
    assert quote.versions.get().state == "approved"


def _sales_sends(known: Known, quote: Quote) -> str:
    with at_work(known.house, known.browser, SALES) as sam:
        sam.goto(f"/admin/billing/quote/{quote.pk}/change/").press("Send")
        sam.press("Send it").sees("sent")
    message = known.house.mail(subject=quote.number)
    assert str(message["To"]) == MAIL
    assert [part.get_content_type() for part in message.iter_attachments()] == ["application/pdf"]
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(rf"{known.house.url}/quote/\S+", body.get_content())
    assert found is not None
    return found[0]


def _the_customer_accepts(known: Known, link: str) -> None:
    with visitor(known.house, known.browser) as buyer:
        buyer.goto(link)
        page = buyer.page
        assert page.locator("body").inner_text().count("75") > 0
        page.locator("[name=legal_name]").fill(BUYER)
        page.locator("[name=signer_name]").first.fill("Ines Albrecht")
        page.locator("[name=signer_title]").fill("Head of IT")
        page.locator("[name=signer_email]").fill("ines.albrecht@elbwerk.example")
        page.locator("[name=may_sign]").check()
        page.locator("button[value=accept]").click()
        page.wait_for_load_state()
        assert page.locator("[name=may_sign]").count() == 0, page.locator("body").inner_text()


def _it_became_a_contract(known: Known) -> Subscription:
    contract = Contract.objects.get()
    assert (contract.state, contract.starts_on) == ("active", known.first_day)
    assert contract.customer.name == BUYER
    assert not Invoice.objects.exists()  # it is paid in arrears, and nothing is billed without a sign-off
    return Subscription.objects.get()


def _usage_arrives(known: Known, subscription: Subscription) -> None:
    first = datetime.combine(known.first_day, datetime.min.time(), tzinfo=UTC) + timedelta(days=3)
    headers = {"Authorization": f"Bearer {known.api_key}"}
    for start in range(0, CALLS, 100):
        events = [
            {
                "transaction_id": f"call-{number}",
                "external_subscription_id": subscription.external_id,
                "code": "calls",
                "timestamp": int(first.timestamp()) + number,
            }
            for number in range(start, start + 100)
        ]
        sent = httpx.post(f"{known.house.url}/api/v1/events/batch", json={"events": events}, headers=headers)
        assert sent.status_code == 200, sent.text


def _finance_rehearses_and_a_second_person_signs_off(known: Known) -> None:
    with at_work(known.house, known.browser, FINANCE) as finn:
        finn.goto("/admin/billing/rehearsal/").press("Rehearse a run")
        finn.fill("Day", timezone.now().date().isoformat()).fill("Time of day", "00:00")
        finn.press("Show what is due then").press("Rehearse it")
        finn.sees("to be reviewed", "€208.25")
        assert not Invoice.objects.exists()  # a rehearsal writes none
        finn.goto(f"{finn.page.url.partition('change/')[0]}sign_off/")
        finn.press("Sign off").sees("a second person does")
        address = finn.page.url.partition("sign_off/")[0]
    with at_work(known.house, known.browser, CONTROLLER) as carla:
        carla.goto(f"{address}change/").press("Sign off")
        for box in carla.page.locator("form input[type=checkbox]").all():
            box.check()
        carla.press("Sign off").sees("signed off")


def _the_run_bills(known: Known) -> Invoice:
    with at_work(known.house, known.browser, FINANCE) as finn:
        finn.goto("/admin/billing/rehearsal/").page.locator("#result_list tbody a").first.click()
        finn.press("Bill").press("Bill what was signed off")
        invoice = eventually(lambda: Invoice.objects.filter(status="finalized").first(), "the invoice")
        finn.goto(f"/admin/invoicing/invoice/{invoice.pk}/change/").sees(invoice.number or "?", "€208.25")
    assert Invoice.objects.count() == 1
    return invoice


def _the_mail_is_out(known: Known, invoice: Invoice) -> None:
    message = known.house.mail(subject=invoice.number or "?")
    assert str(message["To"]) == MAIL
    (attachment,) = message.iter_attachments()
    assert attachment.get_content()[:5] == b"%PDF-"


def _finance_records_the_payment(known: Known, invoice: Invoice) -> None:
    with at_work(known.house, known.browser, FINANCE) as finn:
        finn.goto(f"/admin/invoicing/invoice/{invoice.pk}/change/").press("Record payment")
        finn.fill("Reference", "SEPA-1").press("Record the payment").sees("paid")
    payment = Payment.objects.get()
    assert payment.amount.amount == Decimal("208.25")
    invoice.refresh_from_db()
    assert invoice.payment_status == "succeeded"


def _a_correction_is_made_by_two(known: Known, invoice: Invoice) -> None:
    """10.00 of the fee are given back, 11.90 with VAT: more than one person decides alone."""
    line = invoice.lines.get(kind="subscription")
    with at_work(known.house, known.browser, FINANCE) as finn:
        finn.goto(f"/admin/invoicing/invoice/{invoice.pk}/change/").press("Credit")
        finn.page.locator(f"[name=line_{line.pk}]").fill("10.00")
        finn.press("Show what would happen").press("Issue the credit note")
        finn.sees("somebody else of Finance admin has to approve it")
        assert not CreditNote.objects.exists()
    with at_work(known.house, known.browser, CONTROLLER) as carla:
        carla.sees("Approvals waiting").goto("/admin/platform/approvalrequest/")
        carla.page.locator("#result_list tbody a").first.click()
        carla.sees("€11.90").press("Approve").press("Approve and do it")
        note = eventually(CreditNote.objects.first, "the credit note")
    assert note.total_amount.amount == Decimal("11.90")


def _the_auditor_reads_and_changes_nothing(known: Known, quote: Quote, invoice: Invoice) -> None:
    before = AuditEntry.objects.count()
    with at_work(known.house, known.browser, AUDITOR) as aiko:
        aiko.goto(f"/admin/billing/quote/{quote.pk}/change/").sees("accepted", "Ines Albrecht")
        aiko.goto(f"/admin/invoicing/invoice/{invoice.pk}/change/").sees("€208.25")
        for verb in ("Credit", "Send again", "Record payment"):
            assert aiko.page.get_by_role("link", name=people.ends_with(verb)).count() == 0, verb
        aiko.goto("/admin/platform/auditentry/").sees("sign off", "Carla Reyes", "Finn Oduya")
        cookies = {one["name"]: one["value"] for one in aiko.page.context.cookies()}
        for path in (
            f"invoicing/invoice/{invoice.pk}/credit/",
            f"billing/quote/{quote.pk}/void/",
            "billing/rehearsal/rehearse/",
        ):
            form = {"csrfmiddlewaretoken": cookies["csrftoken"], "reason": "because"}
            answer = aiko.page.request.post(
                f"{known.house.url}/admin/{path}", form=form, headers={"Referer": f"{known.house.url}/admin/"}
            )
            assert answer.status == 403, path
    assert AuditEntry.objects.count() == before
