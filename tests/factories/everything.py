"""One of everything that the admin has a page for, beside a small company: for walks over all addresses.

What a service makes in a line is made by it; rows that take a whole story are written as they would be at its end.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from moneyed import Money

from billing.models import OrderForm, PlanMigration, Quote, Rehearsal, RehearsedInvoice, TriggeredAlert
from billing.services import order_forms, outlier_rules, quote_versions, rehearsal_computing, rehearsals, usage_alerts
from billing.services.signed_documents import SignedDocument
from catalog.models import PlanVersion
from config.kernel.actors import Actor
from config.platform.models import (
    ApiKey,
    BulkRun,
    FirstStep,
    PersonalDataView,
    RequestLog,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from config.platform.services import approval_rules, imports, installation, saved_filters, work_queues
from customers.models import Customer, VatCheck
from customers.services import custom_sections
from invoicing.models import LedgerEntry, OpeningBalance, PaymentRequest, TaxCalculation, TaxEngine
from invoicing.services import journal_exports, wallet_top_ups, write_offs
from invoicing.services.wallet_top_ups import TopUp
from tests.factories import catalog as goods
from tests.factories import coupons, features, waiting, wallets
from tests.factories import invoicing as make
from tests.factories import quotes as sales
from tests.factories.company import Company

SELLER = "seller"


def make_everything(company: Company) -> None:
    """Make something wait in every queue, and one of every model that has a page and is not made yet."""
    installation.ensure(at=company.at)
    waiting.make_waiting(company)
    _catalog(company)
    _platform(company)
    _money(company)
    _usage(company)
    _rehearsal(company)
    _quotes(company)


def _catalog(company: Company) -> None:
    at, customer = company.at, company.customers[0]
    seats = goods.fixed(goods.make_add_on("seat"), 10, "1")
    goods.make_plan("seats", cents=10000, fixed_charges=[seats])
    goods.make_pricing_unit()
    features.make_feature()
    coupons.give(customer)
    custom_sections.create(
        values={"code": "small_print", "name": "Small print", "details": "Read it."}, actor=company.actor, at=at
    )
    VatCheck.objects.create(number="DE123456788", next_attempt_at=at)


def _platform(company: Company) -> None:
    at, key = company.at, ApiKey.objects.order_by("pk").first()
    person = sales.person("filtering", groups=("Finance admin",))
    group = Group.objects.get(name="Finance admin")
    saved_filters.save(
        list_of="invoicing.invoice", name="Open", query="status__exact=draft", is_standard=False,
        actor=sales.actor(person), at=at,
    )  # fmt: skip
    content = b"external_id,name,currency\nnew_1,Number One,EUR\nnew_2,,XXX\n"
    imports.upload(kind="customers", file_name="customers.csv", content=content, actor=company.actor, at=at)
    approval_rules.create(
        values=approval_rules.RuleValues("void_invoice", group.pk, "EUR", Decimal(1000)), actor=company.actor, at=at
    )
    work_queues.assign(code="approvals", person=None, role=group, actor=company.actor, at=at)
    FirstStep.objects.create(code="mail", by="Ada", at=at)
    PersonalDataView.objects.create(
        at=at, user_id=person.pk, user_label="filtering", page="object", object_type="customers.customer", path="/x/"
    )
    RequestLog.objects.create(
        request_id="r1", at=at, api_key=key, method="GET", path="/api/v1/plans", status=200, duration_ms=3
    )
    BulkRun.objects.create(
        person=person,
        person_label="filtering",
        object_type="invoicing.invoice",
        verb="send",
        label="Send",
        total=0,
    )
    event = WebhookEvent.objects.create(
        event_type="customer.created", object_type="customers.customer", object_key="1", at=at, body="{}"
    )
    WebhookDelivery.objects.create(
        event=event, endpoint=WebhookEndpoint.objects.order_by("pk")[0], object_key="1", next_attempt_at=at
    )
    every_hour = IntervalSchedule.objects.create(every=1, period="hours")
    CrontabSchedule.objects.create()
    ClockedSchedule.objects.create(clocked_time=at)
    SolarSchedule.objects.create(event="sunrise", latitude=0, longitude=0)
    PeriodicTask.objects.create(name="By hand", task="config.platform.tasks.nothing", interval=every_hour)


def _money(company: Company) -> None:
    at, customer, actor = company.at, company.customers[0], company.actor
    owed = make.issue(customer, "70.00", at=at)
    make.issue(customer, "80.00", at=at)
    write_offs.write_off(invoice_id=owed.pk, reason="Gone.", amount=Money("5.00", "EUR"), actor=actor, at=at)
    PaymentRequest.objects.create(
        customer=customer, billing_entity=customer.billing_entity, currency="EUR", amount=Decimal(70), updated_at=at
    )
    wallet = wallets.make_wallet(customer)
    wallet_top_ups.top_up(wallet_id=wallet.pk, wanted=TopUp(granted_credits=Decimal(5)), actor=actor, at=at)
    journal_exports.create(billing_entity_id=customer.billing_entity_id, actor=actor, at=at)
    OpeningBalance.objects.create(
        billing_entity=customer.billing_entity, customer=customer, kind="owed", reference="OLD-1", currency="EUR",
        issuing_date=at.date(), due_date=at.date(), original_amount=Decimal(10), amount=Decimal(10),
        entry=LedgerEntry.objects.order_by("pk")[0],
    )  # fmt: skip
    engine = TaxEngine.objects.create(
        billing_entity=customer.billing_entity,
        code="engine",
        url="https://tax.example/",
        is_active=False,
        updated_at=at,
    )
    TaxCalculation.objects.create(invoice=owed, engine=engine, digest="0" * 64, question={}, next_attempt_at=at)


def _usage(company: Company) -> None:
    at, subscription = company.at, company.subscriptions[0]
    values: Any = {
        "alert_type": "current_usage_amount",
        "code": "much",
        "name": "Much",
        "thresholds": [{"code": "t", "value": Decimal(9)}],
    }
    alert = usage_alerts.create(subscription=subscription, values=values, actor=company.actor, at=at)
    TriggeredAlert.objects.create(
        alert=alert, number=1, subscription=subscription, alert_type="current_usage_amount", alert_code="much",
        currency="EUR", previous_value=1, current_value=9, crossed=[], period_from_at=at - timedelta(days=9),
        period_to_at=at, triggered_at=at,
    )  # fmt: skip
    version = PlanVersion.objects.filter(plan__code="growth_eur").order_by("-pk")[0]
    PlanMigration.objects.create(
        plan=version.plan, to_version=version, reason="The price of 2026.", made_by_label="Ada", updated_at=at
    )


def _rehearsal(company: Company) -> None:
    """A month that is rehearsed, with invoices and an account that is parked."""
    at = company.at + timedelta(days=13)
    outlier_rules.restore_defaults(actor=company.actor, at=company.at)
    row = rehearsals.request(as_of=at, reason="month end", actor=company.actor, at=company.at)
    rehearsal_computing.compute(rehearsal_id=row.pk, at=company.at)
    assert RehearsedInvoice.objects.filter(rehearsal=row).exists(), Rehearsal.objects.get(pk=row.pk)


def _quotes(company: Company) -> None:
    """Quotes in all states, through the services, and an order that was signed on paper."""
    seller, customer = sales.person(SELLER), company.customers[0]
    sales.rule("0.20", "Sales manager")
    for state in ("draft", "in_approval", "approved", "sent", "declined", "voided", "accepted"):
        quote = _draft(company, customer, state, "0.30" if state == "in_approval" else "0")
        if state != "draft":
            sales.submit(quote, by=seller, at=company.at.isoformat())
        if state == "voided":
            quote_versions.void(
                version_id=sales.version_of(quote).pk, reason="No.", actor=sales.actor(seller), at=company.at
            )
        if state in ("sent", "declined", "accepted"):
            _answered(company, sales.form_of(quote), state, sales.actor(seller))
    _draft(company, None, "prospect", "0")


def _draft(company: Company, customer: Customer | None, name: str, discount: str) -> Quote:
    phases = [{"plan_code": "growth_eur", "discount_rate": discount}]
    offered = sales.terms(items=[{"external_id": f"sub_{name}", "phases": phases}], term_months=12)
    seller = sales.person(f"{SELLER}_{name}")
    more: dict[str, Any] = {} if customer else {"prospect": {"name": "Prospect", "currency": "EUR"}}
    return sales.draft(
        customer, offered, by=seller, at=company.at.isoformat(), name=name, valid_until=date(2026, 6, 30), **more
    )


def _answered(company: Company, form: OrderForm, state: str, seller: Actor) -> None:
    order_forms.send(order_form_id=form.pk, to=["a@example.com"], message="Hello.", actor=seller, at=company.at)
    if state == "declined":
        order_forms.decline(order_form_id=form.pk, reason="No.", signer=sales.SIGNER, actor=seller, at=company.at)
    if state == "accepted":
        scan = SignedDocument(content=b"%PDF-1.7 signed")
        order_forms.record_signature(
            order_form_id=form.pk, signer=sales.SIGNER, document=scan, actor=seller, at=company.at
        )
