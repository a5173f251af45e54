"""A small company with everything in it, made through the services: sellers, price lists, customers, usage, runs,
invoices of all states, payments. Deterministic; for tests of pages and for looking at them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from django.contrib.auth.models import User
from moneyed import Money

from billing.domain.usage_events import EventIn
from billing.models import BillingRun, Subscription
from billing.services import runs, subscriptions, usage
from billing.services.subscriptions import NewSubscription
from catalog.models import PlanVersion
from catalog.services import metrics, plans, taxes
from config.kernel import actors, dates
from config.platform.services import api_keys
from customers.models import Customer
from customers.services import billing_entities, customers
from invoicing.models import Invoice
from invoicing.queries import receivables
from invoicing.services import overdue, payments

NAMES = (
    ("Nordlicht Analytics GmbH", "DE", "Hamburg"),
    ("Atelier Beaumont SARL", "FR", "Lyon"),
    ("Brightwater Robotics Ltd", "GB", "Leeds"),
    ("Kestrel & Sons Freight Forwarding and Customs Brokerage International Holdings", "GB", "Felixstowe"),
    ("Sundial Health Inc.", "US", "Portland"),
    ("Müller Maschinenbau", "DE", "Stuttgart"),
    ("Casa Verde Foods", "ES", "Valencia"),
    ("Blue Heron Media", "US", "Austin"),
)


@dataclass
class Company:
    """What was made, for whoever wants to point at it."""

    at: datetime
    actor: actors.Actor
    customers: list[Customer] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    run: BillingRun | None = None


def make_company(*, at: datetime, months: int = 3, customers_count: int = 4, events_a_day: int = 2) -> Company:
    """Make the company as it stands at ``at``, with that many months of history and customers."""
    person = User.objects.filter(username="ada").first() or User.objects.create_user(
        "ada", first_name="Ada", last_name="Byron", email="ada@example.com"
    )
    company = Company(at=at, actor=actors.Actor(kind="user", label="Ada Byron", user_id=person.pk))
    start = dates.add_months(at.date().replace(day=1), -months)
    began = datetime.combine(start, time(9), tzinfo=UTC)
    _sellers(company, began)
    versions = _price_lists(company, began)
    for number, (name, country, city) in enumerate(NAMES[:customers_count]):
        company.customers.append(_customer(company, number, name, country, city, began))
        company.subscriptions.append(_subscription(company, number, versions, start, began))
    _usage(company, start, events_a_day)
    company.run = runs.run(as_of=at, trigger="schedule", actor=actors.job("billing"))
    _payments(company)
    overdue.mark(as_of=at)
    api_keys.create(name="Production backend", actor=company.actor, at=began)
    return company


def _sellers(company: Company, at: datetime) -> None:
    vat = taxes.create(
        values={"code": "vat_de", "name": "VAT 19 %", "rate": Decimal("0.19")}, actor=company.actor, at=at
    )
    taxes.create(values={"code": "vat_gb", "name": "VAT 20 %", "rate": Decimal("0.20")}, actor=company.actor, at=at)
    billing_entities.create(
        values={
            "code": "de",
            "name": "Lumen Hosting GmbH",
            "legal_name": "Lumen Hosting GmbH",
            "address_line1": "Speicherstraße 12",
            "zipcode": "20457",
            "city": "Hamburg",
            "country": "DE",
            "email": "billing@lumen.example",
            "iban": "DE89370400440532013000",
            "default_currency": "EUR",
            "timezone": "Europe/Berlin",
            "net_payment_term": 14,
            "document_number_prefix": "LUM",
            "email_settings": ["invoice.finalized"],
            "tax_codes": [vat.code],
        },
        actor=company.actor,
        at=at,
    )
    billing_entities.create(
        values={
            "code": "us",
            "name": "Lumen Hosting Inc.",
            "city": "Portland",
            "country": "US",
            "default_currency": "USD",
            "timezone": "America/Los_Angeles",
            "net_payment_term": 30,
            "invoice_grace_period": 40,
            "document_number_prefix": "LUS",
        },
        actor=company.actor,
        at=at,
    )


def _price_lists(company: Company, at: datetime) -> dict[str, PlanVersion]:
    requests = metrics.create(
        values={
            "code": "requests",
            "name": "API requests",
            "aggregation_type": "count_agg",
            "filters": [{"key": "region", "values": ["eu", "us"]}],
        },
        actor=company.actor,
        at=at,
    )
    egress = metrics.create(
        values={
            "code": "egress",
            "name": "Egress (GB)",
            "aggregation_type": "sum_agg",
            "field_name": "gigabytes",
            "event_code": "requests",
            "rounding_function": "ceil",
            "rounding_precision": 3,
        },
        actor=company.actor,
        at=at,
    )
    tiers = [
        {"from_value": 0, "to_value": 100, "per_unit_amount": "0.05", "flat_amount": "2"},
        {"from_value": 101, "to_value": None, "per_unit_amount": "0.00035", "flat_amount": "0"},
    ]
    made = {}
    for currency, factor in (("EUR", 1), ("USD", 1)):
        charges: list[Any] = [
            {
                "billable_metric_id": requests.uuid,
                "charge_model": "graduated",
                "properties": {"graduated_ranges": tiers},
                "invoice_display_name": "Requests",
                "filters": [
                    {
                        "values": {"region": ["us"]},
                        "properties": {"graduated_ranges": [{**tiers[0], "to_value": None, "per_unit_amount": "0.07"}]},
                        "invoice_display_name": "Requests, US region",
                    }
                ],
            },
            {"billable_metric_id": egress.uuid, "charge_model": "package",
             "properties": {"amount": "1.25", "package_size": 10, "free_units": 1}},
        ]  # fmt: skip
        made[currency] = plans.create(
            values={
                "code": f"growth_{currency.lower()}",
                "name": f"Growth {currency}",
                "interval": "monthly",
                "amount_cents": 4900 * factor,
                "amount_currency": currency,
                "charges": charges,
            },
            actor=company.actor,
            at=at,
        )
    return made


def _customer(company: Company, number: int, name: str, country: str, city: str, at: datetime) -> Customer:
    return customers.upsert(
        values={
            "external_id": f"cust_{number + 1:03}",
            "name": name,
            "email": f"accounts{number}@example.com" if number != 3 else "",
            "billing_entity_code": "us" if country == "US" else "de",
            "address_line1": f"Market Street {number + 1}",
            "city": city,
            "country": country,
            "metadata": [{"key": "crm", "value": f"A-{number}", "display_in_invoice": False}],
        },
        actor=company.actor,
        at=at,
    )


def _subscription(
    company: Company, number: int, versions: dict[str, PlanVersion], start: Any, at: datetime
) -> Subscription:
    customer = company.customers[number]
    version = versions["USD" if customer.country == "US" else "EUR"]
    new = NewSubscription(
        external_customer_id=customer.external_id,
        plan_code=version.plan.code,
        external_id=f"sub_{number + 1:03}",
        name="Production cluster" if number == 0 else "",
        subscription_at=dates.start_of_day(start, dates.zone(customer.applicable_timezone)),
        backdated_billing="bill",
    )
    return subscriptions.create(new=new, actor=company.actor, at=at)


def _usage(company: Company, start: Any, events_a_day: int) -> None:
    days = dates.days_between(start, company.at.date())
    events: list[EventIn] = []
    for offset in range(days):
        for number, subscription in enumerate(company.subscriptions):
            for turn in range(events_a_day + (offset + number) % 3):
                moment = datetime.combine(start, time(6 + turn), tzinfo=UTC) + timedelta(days=offset, minutes=number)
                events.append(_event(len(events), subscription.external_id, "requests", moment, offset + turn))
    late = company.at - timedelta(days=1)
    events.append(_event(len(events), "sub_001", "unheard_of", late, 1))
    events.append(_event(len(events), "sub_nobody", "requests", late, 2))
    for first in range(0, len(events), 500):
        usage.ingest(events=events[first : first + 500], received_at=company.at)


def _event(number: int, subscription: str, code: str, moment: datetime, turn: int) -> EventIn:
    content = {"region": "us" if turn % 4 == 0 else "eu", "gigabytes": f"0.{turn % 9 + 1}5"}
    return EventIn(
        transaction_id=f"evt-{number:07}",
        external_subscription_id=subscription,
        code=code,
        timestamp=moment,
        properties=msgspec.Raw(json.dumps(content).encode()),
    )


def _payments(company: Company) -> None:
    """Pay most of what is issued: every fourth invoice stays open, every fifth is paid in part."""
    issued: Sequence[Invoice] = list(receivables.open_invoices().order_by("pk"))
    for number, invoice in enumerate(issued):
        owed = receivables.owed(invoice)
        if number % 4 == 3 or not owed:
            continue
        amount = Money("10.00", invoice.currency) if number % 5 == 4 else owed
        paid_at = min(dates.start_of_day(invoice.payment_due_date, dates.zone("UTC")), company.at)
        payments.record(
            invoice_id=invoice.pk,
            amount=amount,
            reference=f"SEPA-{number:05}",
            paid_at=paid_at,
            actor=company.actor,
            at=company.at,
        )
