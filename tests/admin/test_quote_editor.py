"""The editor of a quote: what is typed becomes exactly these terms, mistakes keep the input, sums write nothing."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.admin import quote_editor_fields as fields
from billing.admin import quote_editor_rows as rows
from billing.admin.quote_editor_fields import Kind, Spec, Wrong
from billing.domain import quote_terms
from billing.models import Quote, QuoteVersion
from billing.services import quote_versions
from customers.models import Customer
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as makers
from tests.factories.billing import instant
from tests.factories.contracts import activate, draft, phase

AT = instant("2026-01-10T10:00")
CREATE = "/admin/billing/quote/create/"
TOTALS = "/admin/billing/quote/totals/"
SALES = ("view_quote", "add_quote", "change_quote", "view_contract", "view_customer")


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def sales(db: None) -> Client:
    return signed_in("sam", SALES)


@pytest.fixture
def customer(db: None) -> Customer:
    seats = goods.fixed(goods.make_add_on("seat"), 10, "1")
    requests = goods.standard(goods.make_metric(), "0.10")
    goods.make_plan("platform", cents=10000, fixed_charges=[seats], charges=[requests])
    goods.make_add_on("setup", cents=50000)
    return parties.make_customer(parties.make_entity())


def signed_in(name: str, rights: tuple[str, ...]) -> Client:
    client = Client()
    client.force_login(makers.person(name, rights=rights))
    return client


def head(customer: Customer | None, **values: Any) -> dict[str, Any]:
    """What the head of the form sends."""
    return {
        "kind": "new", "whom": "customer", "customer": "" if customer is None else customer.pk, "name": "Deal",
        "currency": "EUR", "valid_until": "2026-02-10", "term_months": "24", "billing_time": "anniversary",
        "renewal": "automatic", "notice_days": "30", "uplift": "3.5", "uplift_scope": "fee", "step": "save",
        **values,
    }  # fmt: skip


def prices(customer: Customer) -> dict[str, str]:
    """The names of the fields of the plan's prices, after the prefix of a phase."""
    page = Client()
    page.force_login(makers.person(f"p{customer.pk}", rights=SALES))
    found = page.get(f"{CREATE}?plan=platform").content.decode()
    names = re.findall(r'name="i0p0-((?:units|price)_\w+)"', found)
    return {
        "units": next(one for one in names if one.startswith("units_")),
        "fixed": next(one for one in names if one.startswith("price_fixed")),
        "charge": next(one for one in names if one.startswith("price_charge")),
    }


class Form(HTMLParser):
    """Reads what a browser would send of the editor's form."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = self._area = ""
        self._on = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if tag == "form":
            self._on = "data-q-quote" in own
        name = own.get("name") or ""
        if not self._on or (not name and tag != "option"):
            return
        if tag == "input" and (own.get("type") != "checkbox" or "checked" in own):
            self.values[name] = own.get("value") or ""
        elif tag == "select":
            self._select, self.values[name] = name, ""
        elif tag == "option" and self._select and "selected" in own:
            self.values[self._select] = own.get("value") or ""
        elif tag == "textarea":
            self._area, self.values[name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data.removeprefix("\n")


def sent(page: Any) -> dict[str, str]:
    """What the form of a page would send as it is."""
    parser = Form()
    parser.feed(page.content.decode())
    return parser.values


def test_what_is_typed_becomes_exactly_these_terms(sales: Client, customer: Customer) -> None:
    own = prices(customer)
    charge = own["charge"].removeprefix("price_charge_")
    content = head(customer) | {
        "i-rows": "1", "i0-rows": "2", "i0-external_id": "acme-platform", "i0-name": "Platform",
        "i0p0-plan_code": "platform", "i0p0-after_months": "0", "i0p0-discount": "25", "i0p0-discount_scope": "all",
        f"i0p0-{own['units']}": "25", f"i0p0-{own['fixed']}": "1", f"i0p0-{own['charge']}": "0.08",
        "i0p1-plan_code": "platform", "i0p1-after_months": "12", "i0p1-fee": "95.50",
        "o-rows": "1", "o0-add_on_code": "setup", "o0-units": "2", "o0-unit_amount": "450", "o0-discount": "10",
        "w-rows": "1", "w0-name": "Credits", "w0-paid_credits": "500", "w0-granted_credits": "50",
        "m-rows": "1", "m0-kind": "term", "m0-amount": "3000", "m0-renews": "on",
        "payment_term_days": "45", "purchase_order_number": "PO 7", "terms_text": "Net.", "introduction": "Hello.",
    }  # fmt: skip
    answer = sales.post(CREATE, content)
    assert answer.status_code == 302, answer.context["form"].errors
    version = QuoteVersion.objects.get()
    assert version.quote.customer == customer
    assert (version.introduction, version.valid_until.isoformat(), version.state) == ("Hello.", "2026-02-10", "draft")
    wanted = quote_terms.read(
        {
            "term_months": 24, "renewal": "automatic", "notice_days": 30, "uplift_rate": "0.035",
            "payment_term_days": 45, "purchase_order_number": "PO 7", "terms_text": "Net.",
            "items": [{
                "external_id": "acme-platform", "name": "Platform",
                "phases": [
                    {"plan_code": "platform", "discount_rate": "0.25", "discount_scope": "all", "units": {"seat": "25"},
                     "overrides": {"charges": [{"code": "requests", "properties": {"amount": "0.08"}}]}},
                    {"plan_code": "platform", "after_months": 12, "overrides": {"amount_cents": 9550}},
                ],
            }],
            "one_offs": [{"add_on_code": "setup", "units": "2", "unit_amount_cents": 45000, "discount_rate": "0.1"}],
            "credits": [{"name": "Credits", "paid_credits": "500", "granted_credits": "50"}],
            "commitments": [{"amount_cents": 300000}],
        }
    )  # fmt: skip
    found = version.terms
    (row,) = found["items"][0]["phases"][0]["overrides"]["charges"]
    assert row.pop("id").replace("-", "") == charge
    assert {key: value for key, value in row["properties"].items() if value not in ([], {}, None)} == {"amount": "0.08"}
    row["properties"] = {"amount": "0.08"}
    assert found == quote_terms.written(wanted)


def test_opening_and_saving_changes_nothing(sales: Client, customer: Customer) -> None:
    """What the editor has no field for stays: a name of the phase's own, taxes, the trial."""
    vat = goods.make_tax("special")
    overrides = {
        "amount_cents": 8000, "invoice_display_name": "Our platform", "tax_codes": [vat.code], "trial_period": "14",
        "minimum_commitment": {"amount_cents": 12000}, "charges": [{"code": "requests", "min_amount_cents": 700}],
    }  # fmt: skip
    offered = makers.terms(
        items=[{"external_id": "sub", "phases": [
            {"plan_code": "platform", "overrides": overrides, "units": {"seat": "12"}, "discount_rate": "0.125"},
            {"plan_code": "platform", "after_months": 6},
        ]}],
        term_months=18, starts_on="2026-03-01", uplift_rate="0.02", renewal="automatic", notice_days=60,
        one_offs=[{"add_on_code": "setup", "tax_codes": [vat.code]}], credits=[{"granted_credits": "10"}],
        commitments=[{"amount_cents": 5000, "kind": "period", "external_id": "sub", "renews": False},
                     {"amount_cents": 90000, "kind": "prepaid", "instalments": "monthly", "rolls_over": True}],
    )  # fmt: skip
    quote = makers.draft(customer, offered, by=makers.person("maker"))
    before = makers.version_of(quote)
    page = sales.get(f"/admin/billing/quote/{quote.pk}/edit/")
    answer = sales.post(f"/admin/billing/quote/{quote.pk}/edit/", sent(page) | {"step": "save"})
    assert answer.status_code == 302, (answer.context["form"].errors, answer.context["lists"])
    after = makers.version_of(quote)
    assert after.terms == before.terms
    assert after.total_amount == before.total_amount


def test_mistakes_keep_what_was_typed(sales: Client, customer: Customer) -> None:
    content = head(customer, name="") | {
        "i-rows": "1", "i0-rows": "1", "i0p0-plan_code": "platform", "i0p0-discount": "a quarter",
        "o-rows": "1", "o0-name": "Setup of everything", "w-rows": "1", "w0-paid_credits": "1e9",
    }  # fmt: skip
    page = sales.post(CREATE, content)
    assert page.status_code == 200
    assert page.context["form"].errors["name"]
    text = page.content.decode()
    for part in ("This is not a number", "This is needed.", 'value="a quarter"', 'value="Setup of everything"'):
        assert part in text, part
    assert not Quote.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"i0p0-plan_code": "nothing"}, "i0p0-plan_code"),
        ({"i0p0-plan_code": "no\x00thing"}, "i0p0-plan_code"),
        ({"o-rows": "1", "o0-add_on_code": "unheard_of"}, "o0-add_on_code"),
        ({"i0p0-fee": "1.005"}, "i0p0-fee"),
        ({"i0p0-discount": "101"}, "i0p0-discount"),
    ],
)
def test_what_services_refuse_stands_at_its_field(
    sales: Client, customer: Customer, change: dict[str, str], field: str
) -> None:
    content = head(customer) | {"i-rows": "1", "i0-rows": "1", "i0p0-plan_code": "platform"} | change
    found = sales.post(TOTALS, content).json()
    assert any(name.startswith(field) for name in found["errors"]), found
    assert not Quote.objects.exists()


def test_rows_come_and_go_without_losing_input(sales: Client, customer: Customer) -> None:
    content = head(customer) | {
        "i-rows": "1", "i0-rows": "1", "i0p0-plan_code": "platform", "i0p0-discount": "5",
        "c-rows": "2", "c0-amount": "1", "c1-amount": "2", "step": "add:phase:i0",
    }  # fmt: skip
    page = sales.post(CREATE, content)
    after = sent(page)
    # A step of a ramp begins as the one before it, a year later.
    assert (after["i0-rows"], after["i0p1-plan_code"], after["i0p1-after_months"]) == ("2", "platform", "12")
    assert (after["i0p1-discount"], after["name"], after["customer"]) == ("5", "Deal", str(customer.pk))
    fewer = sent(sales.post(CREATE, after | {"step": "remove:coupons:0"}))
    assert (fewer["c-rows"], fewer["c0-amount"]) == ("1", "2")
    part = sales.post(CREATE, fewer | {"step": "add:one_offs"}, headers={"X-Quote-Part": "rows"})
    assert b"data-q-focus" in part.content
    assert b"<form" not in part.content
    assert not Quote.objects.exists()


def test_sums_follow_and_write_nothing(sales: Client, customer: Customer) -> None:
    makers.rule("0.2")
    content = head(None, name="") | {
        "i-rows": "2", "i0-rows": "1", "i0p0-plan_code": "platform", "i0p0-discount": "25", "i1-rows": "1",
    }  # fmt: skip
    found = sales.post(TOTALS, content).json()
    # (100.00 − 25 %) + 10 seats of 1.00 = 85.00 a month, × 24 = 2,040.00
    for part in ("€85.00", "€2,040.00", "Heads", "discount of 25% is above 20%"):
        assert part in found["html"], part
    assert found["errors"] == {}
    assert not Quote.objects.exists()
    assert sales.get(TOTALS).status_code == 405


def test_whoever_may_not_sell_does_not(customer: Customer) -> None:
    reader = signed_in("reader", ("view_quote",))
    quote = makers.draft(customer, makers.terms("platform"), by=makers.person("maker"))
    edit = f"/admin/billing/quote/{quote.pk}/edit/"
    for address in (CREATE, TOTALS, edit, f"/admin/billing/quote/{quote.pk}/totals/"):
        assert reader.post(address, head(customer)).status_code == 403, address
    assert reader.get(edit).status_code == 403
    assert Quote.objects.count() == 1


def test_two_people_do_not_overwrite_each_other(sales: Client, customer: Customer) -> None:
    quote = makers.draft(customer, makers.terms("platform"), by=makers.person("maker"))
    edit = f"/admin/billing/quote/{quote.pk}/edit/"
    mine = sent(sales.get(edit)) | {"step": "save", "i0p0-discount": "10"}
    with time_machine.travel(instant("2026-01-10T11:00"), tick=False):
        other = sent(sales.get(edit)) | {"step": "save", "i0p0-discount": "20"}
        assert sales.post(edit, other).status_code == 302
    late = sales.post(edit, mine)
    assert "saved this draft since you opened it" in late.content.decode()
    assert makers.version_of(quote).terms["items"][0]["phases"][0]["discount_rate"] == "0.2"


def test_what_was_submitted_is_not_edited(sales: Client, customer: Customer) -> None:
    quote = makers.draft(customer, makers.terms("platform"), by=makers.person("maker"))
    actor = makers.actor(makers.person("other"))
    quote_versions.submit(version_id=makers.version_of(quote).pk, actor=actor, at=AT)
    answer = sales.get(f"/admin/billing/quote/{quote.pk}/edit/")
    assert answer.status_code == 302
    assert sales.get(f"{CREATE}?copy={quote.pk}").status_code == 200


def test_a_prospect_is_described_on_the_same_page(sales: Client, customer: Customer) -> None:
    Customer.objects.update(slug="OTHER-1")  # the factory takes the next one's
    prospect = {"prospect_name": "Nova GmbH", "prospect_country": "DE", "prospect_city": "Ulm"}
    content = head(None, whom="prospect", billing_entity=customer.billing_entity_id, **prospect) | {
        "i-rows": "1", "i0-rows": "1", "i0p0-plan_code": "platform",
    }  # fmt: skip
    wrong = sales.post(CREATE, content | {"prospect_email": "nobody"})
    assert wrong.context["form"].errors["prospect_email"]
    made = sales.post(CREATE, content)
    assert made.status_code == 302, made.context["form"].errors
    quote = Quote.objects.get()
    assert quote.prospect == {"name": "Nova GmbH", "country": "DE", "city": "Ulm"}
    assert Customer.objects.count() == 1
    edit = f"/admin/billing/quote/{quote.pk}/edit/"
    assert sales.post(edit, sent(sales.get(edit)) | {"prospect_city": "Bonn", "step": "save"}).status_code == 302
    quote.refresh_from_db()
    assert quote.prospect == {"name": "Nova GmbH", "country": "DE", "city": "Bonn"}


def test_a_contract_is_changed_and_renewed_by_quotes(sales: Client, customer: Customer) -> None:
    contract = draft(customer, phase("platform", amount_cents=9000), uplift_rate=Decimal("0.1"))
    activate(contract)
    renewal = sent(sales.get(f"{CREATE}?contract={contract.pk}&kind=renewal"))
    # 90.00 after an uplift of 10 %
    assert (renewal["i0p0-fee"], renewal["i0-external_id"]) == ("99.00", "sub")
    assert sales.post(CREATE, renewal | {"step": "save", "i0p0-fee": "95"}).status_code == 302
    renewed = Quote.objects.get(kind="renewal")
    phases = makers.version_of(renewed).terms["items"][0]["phases"]
    assert (phases[0]["overrides"]["amount_cents"], renewed.contract) == (9500, contract)

    change = sent(sales.get(f"{CREATE}?contract={contract.pk}&kind=amendment"))
    added = sent(sales.post(CREATE, change | {"step": "add:changes=change_terms"}))
    filled = sent(sales.post(CREATE, added | {"h0-external_id": "sub", "step": "refresh"}))
    page = sales.post(CREATE, filled | {"h0p0-fee": "80", "h0-effective_on": "2026-03-01", "step": "save"})
    assert page.status_code == 302, page.context["lists"]
    (told,) = makers.version_of(Quote.objects.get(kind="amendment")).terms["changes"]
    assert (told["kind"], told["external_id"], told["effective_on"]) == ("change_terms", "sub", "2026-03-01")
    assert told["phases"][0]["overrides"] == {"amount_cents": 8000}
    assert told["phases"][0]["plan_code"] == ""


TEXTS = [
    (Spec("a", "A", Kind.PERCENT), "12.5", "0.125"),
    (Spec("a", "A", Kind.MONEY), "19.99", 1999),
    (Spec("a", "A", Kind.WHOLE), "12", 12),
    (Spec("a", "A", Kind.NUMBER), "2.50", "2.5"),
    (Spec("a", "A", Kind.DAY), "2026-12-31", "2026-12-31"),
    (Spec("a", "A", Kind.CODES), "vat, other ,", ["vat", "other"]),
    (Spec("a", "A", Kind.FLAG), "on", True),
    (Spec("a", "A"), " ", None),
]


@pytest.mark.parametrize(("spec", "text", "value"), TEXTS)
def test_texts_are_read(spec: Spec, text: str, value: Any) -> None:
    assert fields.read(spec, text, currency="EUR") == value
    assert fields.read(spec, fields.write(spec, value, currency="EUR"), currency="EUR") == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.WHOLE, "1.5"), (Kind.WHOLE, "-1"), (Kind.WHOLE, "٣"), (Kind.NUMBER, "1e5"), (Kind.NUMBER, "NaN"),
        (Kind.MONEY, "1.005"), (Kind.MONEY, "1,000"), (Kind.DAY, "31.31.2026"), (Kind.PERCENT, "ten"),
        (Kind.TEXT, "x" * 20_001),
    ],
)  # fmt: skip
def test_what_is_no_such_text_is_told(kind: Kind, text: str) -> None:
    with pytest.raises(Wrong):
        fields.read(Spec("a", "A", kind), text, currency="EUR")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.text("i0p1cohwm-rowskind", max_size=8), st.text(max_size=6), max_size=30), st.text(max_size=20)
)
def test_whatever_is_sent_can_be_read(posted: dict[str, str], step: str) -> None:
    typed = rows.read(posted)
    before = {name: len(found) for name, found in typed.lists.items()}
    rows.act(typed, step)
    assert all(abs(len(found) - before[name]) <= 1 for name, found in typed.lists.items())
    assert all(len(found) <= rows.MOST_ROWS for found in typed.lists.values())
