"""The text of whole quotes: a ramp with everything in it in German, an amendment in English."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pypdf
import pytest
from django.contrib.auth.models import User

from billing.services import quote_documents
from customers.models import BillingEntity, Customer
from tests.factories import catalog as goods
from tests.factories import contracts
from tests.factories import coupons as coupon_factory
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db

Golden = Callable[[str, str], None]

TIERS = [
    {"from_value": 0, "to_value": 1000, "per_unit_amount": "0", "flat_amount": "0"},
    {"from_value": 1001, "to_value": None, "per_unit_amount": "0.05", "flat_amount": "10"},
]


@pytest.fixture
def seller() -> BillingEntity:
    return parties.make_entity(
        "nord",
        name="Nordlicht",
        legal_name="Nordlicht Hosting GmbH",
        tax_identification_number="DE123456788",
        address_line1="Hafenstr. 1",
        zipcode="20095",
        city="Hamburg",
        country="DE",
        email="vertrieb@nordlicht.example",
        timezone="Europe/Berlin",
        net_payment_term=14,
    )


def customer(seller: BillingEntity, locale: str) -> Customer:
    return parties.make_customer(
        seller,
        name="Musterbau",
        legal_name="Musterbau AG",
        address_line1="Am Markt 2",
        zipcode="50667",
        city="Köln",
        country="DE",
        document_locale=locale,
    )


@pytest.fixture
def anna() -> User:
    user = made.person("anna")
    user.first_name, user.last_name = "Anna", "Lindqvist"
    user.save()
    return user


def plan(code: str, cents: int, **values: Any) -> str:
    seat = goods.make_add_on(f"{code}_seat", cents=1000, name="Seat")
    metric = goods.make_metric(f"{code}_requests", name="Requests")
    charge = {
        "billable_metric_id": metric.uuid,
        "charge_model": "graduated",
        "properties": {"graduated_ranges": TIERS},
    }
    version = goods.make_plan(
        code,
        cents=cents,
        name=code.capitalize(),
        pay_in_advance=True,
        charges=[charge],
        fixed_charges=[goods.fixed(seat, 10, "10")],
        **values,
    )
    return version.plan.code


def text(pdf: bytes) -> str:
    """Return the words page by page; spaces that do not break are written as plain ones."""
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    return "\n\n---\n\n".join(pages).replace("\u00a0", " ").replace("\u202f", " ") + "\n"


def test_a_ramp_with_everything(seller: BillingEntity, anna: User, golden: Golden) -> None:
    start, grow = plan("start", 20000), plan("grow", 50000)
    goods.make_add_on("setup", cents=150000, name="Setup")
    coupon_factory.make_coupon("ten", rate="0.1", frequency="once")
    offered = {
        "starts_on": "2026-02-01",
        "term_months": 24,
        "renewal": "automatic",
        "renewal_months": 12,
        "notice_days": 90,
        "uplift_rate": "0.03",
        "uplift_scope": "all",
        "payment_term_days": 30,
        "purchase_order_number": "PO-4711",
        "terms_text": "Es gelten unsere AGB.\n\nGerichtsstand ist Hamburg.",
        "items": [
            {
                "name": "Plattform",
                "phases": [
                    {"plan_code": start, "discount_rate": "0.25"},
                    {"plan_code": grow, "after_months": 6, "units": {"grow_seat": "20"}, "discount_rate": "0.1"},
                ],
            }
        ],
        "commitments": [{"amount_cents": 500000, "kind": "term", "invoice_name": "Mindestabnahme"}],
        "one_offs": [{"add_on_code": "setup", "units": "2", "discount_rate": "0.5"}],
        "coupons": [{"coupon_code": "ten"}],
        "credits": [{"name": "Guthaben", "paid_credits": "100", "granted_credits": "20", "expires_after_months": 12}],
    }
    quote = made.draft(customer(seller, "de"), offered, by=anna, introduction="Vielen Dank für das Gespräch.")
    version = made.version_of(quote)
    golden("quotes/ramp_de.txt", text(quote_documents.preview_pdf(version_id=version.pk)))


def test_an_amendment(seller: BillingEntity, anna: User, golden: Golden) -> None:
    start, grow = plan("start", 20000), plan("grow", 50000)
    buyer = customer(seller, "en")
    contract = contracts.activate(contracts.draft(buyer, contracts.phase(start)))
    changes = [
        {"kind": "change_terms", "external_id": "sub", "effective_on": "2026-03-01", "phases": [{"plan_code": grow}]},
        {"kind": "add_product", "external_id": "more", "name": "More", "phases": [{"plan_code": start}]},
    ]
    quote = made.draft(
        None,
        {"changes": changes},
        by=anna,
        at="2026-02-01",
        kind="amendment",
        contract_number=contract.number,
        valid_until=date(2026, 2, 28),
    )
    version = made.submit(quote, by=anna, at="2026-02-01")
    assert version.approved_at == instant("2026-02-01")
    golden("quotes/amendment_en.txt", text(quote_documents.preview_pdf(version_id=version.pk)))
