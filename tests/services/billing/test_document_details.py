"""What documents tell of lines that billing made: days of a period, units told apart, prices in another unit."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pypdf
import pytest

from billing.services import runs
from catalog.models import Charge
from invoicing.domain.document_view import InvoiceView, Line
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import document_pages, document_pdf, document_views
from tests.factories import billing, catalog, customers
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db

TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "0.5", "flat_amount": "0"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.25", "flat_amount": "2"},
]


def keys(*names: str, shown: str) -> list[dict[str, Any]]:
    """Return presentation keys of which one is told on invoices."""
    return [{"value": name, "options": {"display_in_invoice": name == shown}} for name in names]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " ")


def view(**customer: Any) -> InvoiceView:
    """Bill May, of which a contract has 30 days, and return what its invoice says."""
    requests = catalog.make_metric("requests", "sum_agg")
    users = catalog.make_metric("users", "unique_count_agg")
    quiet = catalog.make_metric("quiet", "sum_agg")
    tokens = catalog.make_metric("tokens", "sum_agg")
    seats = catalog.make_add_on("seats")
    version = catalog.make_plan(
        cents=3100,
        charges=[
            catalog.standard(
                requests,
                properties={"amount": "0.1", "presentation_group_keys": keys("region", "team", shown="region")},
            ),
            catalog.standard(
                users, properties={"amount": "1", "presentation_group_keys": keys("region", "team", shown="region")}
            ),
            catalog.standard(quiet, properties={"amount": "1", "presentation_group_keys": ["region"]}),
            catalog.standard(tokens, charge_model="graduated", properties={"graduated_ranges": TIERS}),
        ],
        fixed_charges=[catalog.fixed(seats, 10, "31", prorated=True)],
    )
    Charge.objects.filter(plan_version=version, metric=tokens).update(
        pricing_unit=catalog.make_pricing_unit(), conversion_rate=Decimal("0.03")
    )
    billing.make_subscription(customers.make_customer(**customer), version, at=instant("2026-05-02"))
    for region, team, units in (("eu", "a", 3), ("eu", "b", 4), ("us", "a", 5)):
        billing.send("sub", "requests", "2026-05-10", region=region, team=team, requests=units)
        billing.send("sub", "users", "2026-05-10", region=region, team=team, users=f"u{units}")
        billing.send("sub", "quiet", "2026-05-10", region=region, quiet=units)
    billing.send("sub", "tokens", "2026-05-10", tokens=14)
    runs.run_scheduled(as_of=instant("2026-06-01T01:00"))
    return document_views.of(invoice=document_views.read(invoice_id=Invoice.objects.get().pk))


def line(found: InvoiceView, label: str) -> Line:
    [one] = [one for group in found.groups for one in group.lines if one.label == label]
    return one


def parts(one: Line) -> list[tuple[str, str, str, str]]:
    return [(part.label, part.units, plain(part.price), plain(part.amount)) for part in one.parts]


def test_a_part_of_a_period_says_its_days() -> None:
    found = view()
    fee = line(found, "Starter")
    assert (plain(fee.amount), fee.notes) == ("€30.00", ("30 of 31 days",))  # 31 × 30 / 31
    seats = line(found, "Seats")
    # 10 × 31 × 30 / 31, and 30 of it a seat: the average of the days, without its tail
    assert (plain(seats.amount), plain(seats.price), seats.notes) == ("€300.00", "€30.00", ("30 of 31 days",))
    row = InvoiceLine.objects.get(kind="subscription")
    assert row.amount_details == {"plan_amount_cents": 3100, "days": 30, "of_days": 31}


def test_a_part_of_a_period_says_its_days_in_the_language_of_the_document() -> None:
    assert line(view(document_locale="de"), "Starter").notes == ("30 von 31 Tagen",)


def test_units_are_told_apart_by_what_is_to_be_told() -> None:
    found = view()
    # Sums of two teams are one; unique values of two teams are not, so both are told.
    assert parts(line(found, "Requests")) == [("region: eu", "7", "", ""), ("region: us", "5", "", "")]
    assert parts(line(found, "Users")) == [
        ("region: eu, team: a", "1", "", ""),
        ("region: eu, team: b", "1", "", ""),
        ("region: us, team: a", "1", "", ""),
    ]
    assert parts(line(found, "Quiet")) == []
    assert [len(row.breakdowns) for row in InvoiceLine.objects.filter(item_code="quiet")] == [2]


def test_prices_in_another_unit_say_what_it_is_worth() -> None:
    tokens = line(view(), "Tokens")
    assert parts(tokens) == [
        ("Up to 10", "10", "0.5 CR", "5 CR"),
        ("From 11", "4", "0.25 CR", "1 CR"),
        ("Flat fee", "", "", "2 CR"),
    ]
    assert [plain(note) for note in tokens.notes] == ["8 CR × €0.03"]
    assert plain(tokens.amount) == "€0.24"


def test_the_pdf_has_them() -> None:
    page = document_pages.html(view=view())
    pdf = pypdf.PdfReader(io.BytesIO(document_pdf.write(html=page)))
    text = plain("\n".join(one.extract_text() for one in pdf.pages))
    for words in ("30 of 31 days", "region: eu", "8 CR × €0.03"):
        assert words in text


def test_a_minimum_commitment_tells_its_days_and_what_counted() -> None:
    version = catalog.make_plan(cents=3100, minimum_commitment={"amount_cents": 100000})
    customer = customers.make_customer(document_locale="de")
    billing.make_subscription(customer, version, at=instant("2026-05-16"))
    runs.run_scheduled(as_of=instant("2026-06-01T01:00"))
    found = document_views.of(invoice=document_views.read(invoice_id=Invoice.objects.get().pk))
    one = line(found, "Mindestabnahme – Ausgleich zum Mindestbetrag")
    # 1000 / 31 x 16 = 516.129..., less 31 / 31 x 16
    assert plain(one.amount) == "500,13 €"
    assert [plain(note) for note in one.notes] == [
        "16 von 31 Tagen", "Mindestens 516,13 €, davon berechnet 16,00 €"
    ]  # fmt: skip
