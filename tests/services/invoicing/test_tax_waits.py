"""Invoices that wait for their taxes: for the check of a VAT number, or for an engine behind HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer, TaxExemption, VatCheck
from customers.services import vat_checks
from invoicing.models import Invoice, InvoiceLine, LedgerEntry, TaxCalculation, TaxReport
from invoicing.services import credit_notes, invoices, tax_calculations, tax_engines, tax_reports
from tests.factories import coupons, peers
from tests.factories.customers import make_customer, make_default_entity
from tests.factories.invoicing import ACTOR, AT, draft, issue, line, make_tax
from tests.factories.platform import AT as MADE

pytestmark = pytest.mark.django_db


def _company() -> Customer:
    make_default_entity(country="FR", eu_tax_management=True, default_currency="EUR")
    return make_customer("c", country="IT", tax_identification_number="IT00743110157")


def test_an_invoice_waits_for_the_check_of_the_number_and_is_issued_with_the_answer(
    django_capture_on_commit_callbacks: Any,
) -> None:
    customer = _company()
    with django_capture_on_commit_callbacks() as later:
        waiting = issue(customer, "100.00")

    assert (waiting.status, waiting.number, waiting.finalized_at) == ("pending", None, None)
    assert LedgerEntry.objects.count() == 0
    assert tax_calculations.issue_ready(as_of=AT) == 0  # the check is still to come
    assert later == []

    with django_capture_on_commit_callbacks(execute=True):
        vat_checks.run(as_of=max(AT, MADE))

    waiting.refresh_from_db()
    assert waiting.status == "finalized"
    assert waiting.number is not None
    assert (waiting.taxes_amount.amount, waiting.total_amount.amount) == (0, 100)
    assert [row.tax_code for row in waiting.applied_taxes.all()] == ["lago_eu_reverse_charge"]
    (told,) = waiting.snapshot["texts"]["taxes"]
    assert "Article 196 of Directive 2006/112/EC" in told
    verbs = AuditEntry.objects.filter(object_type="invoicing.invoice").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["draft", "await_taxes", "finalize"]


def test_a_number_that_is_not_valid_makes_a_consumer_of_the_customer(settings: Any) -> None:
    settings.VIES_CHECKER = "tests.factories.vat_checkers.no_number"
    waiting = issue(_company(), "100.00")
    vat_checks.run(as_of=max(AT, MADE))
    assert tax_calculations.issue_ready(as_of=AT) == 1
    waiting.refresh_from_db()
    # 100.00 × 22 %
    assert (waiting.status, waiting.taxes_amount.amount) == ("finalized", 22)


def test_nothing_waits_where_nothing_is_taxed() -> None:
    customer = _company()
    assert issue(customer, "0.00").status == "finalized"
    other = make_customer("other", country="IT")
    assert issue(other, "100.00").status == "finalized"
    assert VatCheck.objects.get().status == "pending"


def test_a_waiting_invoice_has_no_number_by_the_database() -> None:
    waiting = issue(_company(), "100.00")
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=waiting.pk).update(number="X-1")


def test_the_day_decides_about_an_exemption_and_the_document_says_why() -> None:
    make_default_entity(default_currency="EUR", tax_codes=[make_tax().code])
    customer = make_customer("c")
    TaxExemption.objects.create(
        customer=customer, reason="diplomatic", certificate_number="D-1", valid_until=AT.date(), created_at=MADE
    )
    priced = make_tax("priced", "0.07")

    exempt = issue(customer, lines=[line("100.00", tax_ids=(priced.pk,)), line("50.00")])
    assert (exempt.taxes_amount.amount, exempt.applied_taxes.count()) == (0, 0)
    assert {row.tax_basis for row in exempt.lines.all()} == {"exempt"}
    assert exempt.snapshot["texts"]["taxes"] == ["Exempt from tax: diplomatic or consular mission. Certificate D-1."]

    later = AT + timedelta(days=1)
    taxed = issue(customer, "100.00", at=later, billed_at=later)
    assert taxed.taxes_amount.amount == 19
    assert taxed.snapshot["texts"]["taxes"] == []


def test_each_line_says_whose_taxes_it_has() -> None:
    of_price, of_customer, of_seller = make_tax("price"), make_tax("customer"), make_tax("seller")
    make_default_entity(default_currency="EUR", tax_codes=[of_seller.code])
    own = make_customer("own", tax_codes=[of_customer.code])
    none = make_customer("none")
    first = draft(own, lines=[line("10.00", tax_ids=(of_price.pk,)), line("10.00")]).invoice
    second = draft(none, "10.00").invoice
    bases = [row.tax_basis for invoice in (first, second) for row in invoice.lines.order_by("position")]
    assert bases == ["price", "customer", "seller"]


def test_a_price_with_its_tax_in_it_is_what_the_customer_pays() -> None:
    make_default_entity(default_currency="EUR", tax_codes=[make_tax("vat20", "0.20").code])
    lines = [line("9.99", is_tax_inclusive=True) for _ in range(3)]
    invoice = issue(make_customer("c"), lines=lines)
    # 9.99 / 1.2 = 8.325 → 8.33
    assert (invoice.fees_amount.amount, invoice.taxes_amount.amount) == (Decimal("24.99"), Decimal("4.98"))
    assert invoice.total_amount.amount == Decimal("29.97")
    for row in invoice.lines.all():
        assert row.amount + row.taxes_amount == row.agreed_amount
        assert row.tax_inclusive_amount == Decimal("9.99")


@pytest.mark.parametrize(
    ("percent", "total", "back"),
    [
        # 8.33 + 1.66 of each: by the rate of 20 % the tax of one would be 1.67.
        (None, "29.97", ["9.99", "9.99", "9.99"]),
        # 10 % off 24.99 is 2.50. Of each 9.99 there is left 9.99 × 7.497 / 8.33 = 8.99.
        ("0.1", "26.97", ["8.99", "8.99", "8.99"]),
    ],
)
def test_credit_notes_give_back_prices_with_their_taxes(percent: str | None, total: str, back: list[str]) -> None:
    make_default_entity(default_currency="EUR", tax_codes=[make_tax("vat20", "0.20").code])
    customer = make_customer("c")
    if percent:
        coupons.give(customer, rate=percent, frequency="forever", at=MADE)
    invoice = issue(customer, lines=[line("9.99", is_tax_inclusive=True) for _ in range(3)])
    assert invoice.total_amount.amount == Decimal(total)
    notes = [
        credit_notes.create(invoice_id=invoice.pk, amounts={row.pk: row.amount}, reason="other", actor=ACTOR, at=AT)
        for row in invoice.lines.order_by("position")
    ]
    assert [note.total_amount.amount for note in notes] == [Decimal(amount) for amount in back]


# --- Engines ------------------------------------------------------------------------------------------------------


def _engine(url: str) -> Customer:
    make_default_entity(country="US", default_currency="USD")
    tax_engines.create(
        values={"billing_entity_code": "default", "code": "engine", "url": url, "token": "secret"}, actor=ACTOR, at=AT
    )
    return make_customer("c", country="US", state="NY", zipcode="10001", city="New York")


def _taxed(*rates: tuple[str, str, str]) -> Any:
    """Answer every line with these taxes: code, rate, taxable part."""
    taxes = [{"code": code, "name": code.upper(), "rate": rate, "base_rate": part} for code, rate, part in rates]

    def answer(_method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/reports":
            return 200, {}
        return 200, {"status": "taxed", "lines": [{"id": row["id"], "taxes": taxes} for row in body["lines"]]}

    return answer


def test_an_engine_is_asked_after_the_commit_and_its_answer_is_on_the_invoice(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with peers.serve(_taxed(("ny", "0.04", "1"), ("nyc", "0.045", "0.5"))) as peer:
        customer = _engine(peer.url)
        waiting = issue(customer, "100.00", "50.00", currency="USD")
        assert (waiting.status, peer.requests) == ("pending", [])

        with django_capture_on_commit_callbacks(execute=True):
            round_ = tax_calculations.run(as_of=AT)
        again = tax_calculations.run(as_of=AT)

    waiting.refresh_from_db()
    assert (round_.answered, round_.issued, again.answered, again.issued) == (1, 1, 0, 0)
    # 150 × 4 % = 6.00; 150 × 50 % × 4.5 % = 3.375
    taxes = [(row.tax_code, row.rate, row.amount.amount) for row in waiting.applied_taxes.order_by("pk")]
    assert taxes == [("ny", Decimal("0.04"), Decimal("6.00")), ("nyc", Decimal("0.0225"), Decimal("3.38"))]
    assert (waiting.status, waiting.taxes_amount.amount) == ("finalized", Decimal("9.38"))
    assert {row.tax_basis for row in waiting.lines.all()} == {"engine"}
    (asked, told) = peer.requests
    assert (asked[1], asked[2]["Authorization"]) == ("/calculations", "Bearer secret")
    assert asked[3]["customer"]["state"] == "NY"
    assert [row["amount_cents"] for row in asked[3]["lines"]] == [10000, 5000]
    assert (told[1], told[3]["event"], told[3]["number"]) == ("/reports", "invoice_finalized", waiting.number)
    assert told[2]["Idempotency-Key"] == str(TaxReport.objects.get().uuid)


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (422, {"status": "refused", "error": {"code": "no_nexus", "message": "No."}}, "no_nexus"),
        (200, {"status": "taxed", "lines": []}, "invalid_answer"),
        (
            200,
            {"status": "taxed", "lines": [{"id": 1, "taxes": [{"code": "x", "name": "X", "rate": 0.19}]}]},
            "invalid_answer",
        ),
        (
            200,
            {"status": "taxed", "lines": [{"id": 1, "taxes": [{"code": "x", "name": "X", "rate": "19"}]}]},
            "invalid_answer",
        ),
        (200, {"status": "taxed", "lines": [{"id": 2, "taxes": []}]}, "invalid_answer"),
        (200, {"status": "special", "code": "because"}, "invalid_answer"),
        (200, ["taxed"], "invalid_answer"),
    ],
)
def test_an_answer_that_is_none_makes_the_invoice_fail_until_somebody_retries(
    status: int, content: Any, code: str
) -> None:
    with peers.serve(lambda *_: (status, content)) as peer:
        waiting = issue(_engine(peer.url), "100.00", currency="USD")
        assert tax_calculations.run(as_of=AT).refused == 1
    waiting.refresh_from_db()
    assert (waiting.status, waiting.number) == ("failed", None)
    (error,) = waiting.error_details
    assert (error["error_code"], error["details"]["tax_error"]) == ("tax_error", code)
    assert tax_calculations.issue_ready(as_of=AT) == 0
    with pytest.raises(errors.NotAllowed):
        invoices.finalize(invoice_id=waiting.pk, actor=ACTOR, at=AT)

    with peers.serve(_taxed(("x", "0.1", "1"))) as peer:
        tax_engines.update(code="engine", values={"url": peer.url}, actor=ACTOR, at=AT)
        tax_calculations.retry(invoice_id=waiting.pk, actor=ACTOR, at=AT)
        tax_calculations.run(as_of=AT)
        tax_calculations.run(as_of=AT)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.taxes_amount.amount, waiting.error_details) == ("finalized", 10, [])
    with pytest.raises(errors.NotAllowed):
        tax_calculations.retry(invoice_id=waiting.pk, actor=ACTOR, at=AT)


def test_an_engine_that_is_down_is_asked_again_and_in_the_end_somebody_has_to_look() -> None:
    with peers.serve(lambda *_: (503, {})) as peer:
        waiting = issue(_engine(peer.url), "100.00", currency="USD")
        at, unanswered = AT, 0
        for _ in range(20):
            unanswered += tax_calculations.run(as_of=at).unanswered
            at += timedelta(hours=7)
    waiting.refresh_from_db()
    assert (waiting.status, unanswered, len(peer.requests)) == ("failed", 7, 8)
    assert waiting.error_details[0]["details"]["tax_error"] == "engine_unavailable"
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in peer.requests}
    assert len(keys) == 1


def test_a_code_for_the_whole_invoice_leaves_it_without_tax() -> None:
    with peers.serve(lambda *_: (200, {"status": "special", "code": "reverse_charge"})) as peer:
        waiting = issue(_engine(peer.url), "100.00", currency="USD")
        tax_calculations.run(as_of=AT)
    waiting.refresh_from_db()
    (row,) = waiting.applied_taxes.all()
    assert (waiting.status, row.tax_code, row.tax_name, row.amount.amount) == (
        "finalized", "reverse_charge", "Reverse charge", 0,
    )  # fmt: skip
    assert "Article 196" in waiting.snapshot["texts"]["taxes"][0]


def test_a_customer_that_moved_meanwhile_is_asked_about_anew() -> None:
    with peers.serve(_taxed(("x", "0.1", "1"))) as peer:
        waiting = issue(_engine(peer.url), "100.00", currency="USD")
        make_customer("c", state="CA", zipcode="90001")
        assert tax_calculations.run(as_of=AT).issued == 0
        assert tax_calculations.run(as_of=AT).issued == 1
    asked = [body["customer"]["state"] for _, path, _, body in peer.requests if path == "/calculations"]
    assert asked == ["NY", "CA"]
    assert TaxCalculation.objects.filter(invoice=waiting).count() == 2


def test_reports_that_do_not_arrive_are_sent_again() -> None:
    answers = iter([(500, {}), (200, {})])
    with peers.serve(lambda _m, path, body: next(answers) if path == "/reports" else _taxed()(_m, path, body)) as peer:
        issue(_engine(peer.url), "100.00", currency="USD")
        tax_calculations.run(as_of=AT)
        assert [tax_reports.send_due(as_of=AT + timedelta(minutes=minutes)) for minutes in (0, 1, 3, 9)] == [0, 0, 1, 0]


def test_a_seller_has_one_engine_and_its_token_is_on_no_trail() -> None:
    _engine("https://tax.example.com")
    assert "secret" not in str(list(AuditEntry.objects.values_list("new", flat=True)))
    with pytest.raises(errors.Invalid):
        tax_engines.create(
            values={"billing_entity_code": "default", "code": "two", "url": "https://x.example.com"}, actor=ACTOR, at=AT
        )
    with pytest.raises(errors.Invalid):
        tax_engines.update(code="engine", values={"url": "ftp://x"}, actor=ACTOR, at=AT)
    assert InvoiceLine.objects.count() == 0
    assert date(2026, 5, 1) == AT.date()
