"""The editor of a quote used twice at once: by two people, by two clicks, after going back, after a submission."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Quote, QuoteVersion
from billing.services import quote_versions, quotes
from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer
from tests.admin.test_quote_editor import CREATE, SALES, TOTALS, head, sent, signed_in
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as makers
from tests.factories.billing import instant

AT = instant("2026-01-10T10:00")


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(AT, tick=False) as travel:
        yield travel


@pytest.fixture
def customer(db: None) -> Customer:
    goods.make_plan("platform", cents=10000)
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def sales(db: None) -> Client:
    return signed_in("sam", SALES)


def typed(customer: Customer, **values: Any) -> dict[str, Any]:
    return {**head(customer), "i-rows": "1", "i0-rows": "1", "i0p0-plan_code": "platform", **values}


def test_a_form_is_saved_once_however_often_it_is_sent(sales: Client, customer: Customer) -> None:
    once = str(uuid.uuid4())
    first = sales.post(CREATE, typed(customer, once=once))
    again = sales.post(CREATE, typed(customer, once=once))

    quote = Quote.objects.get()
    assert first.status_code == again.status_code == 302
    assert first["Location"] == again["Location"]
    # Other content under the same key is no second quote either, and nobody is told that it was saved.
    other = sales.post(CREATE, typed(customer, once=once, name="Other"))
    assert other.status_code == 200
    assert f"saved already, as {quote.number}" in other.content.decode()
    assert list(Quote.objects.values_list("name", flat=True)) == ["Deal"]
    # Whoever goes back is led to what was made.
    back = sales.get(f"{CREATE}?once={once}")
    assert back["Location"].endswith(f"/{quote.pk}/edit/")
    assert sales.get(f"{CREATE}?once=nonsense").status_code == 200
    assert sales.post(CREATE, typed(customer, once=str(uuid.uuid4()))).status_code == 302
    assert Quote.objects.count() == 2


def test_the_other_ones_changes_are_shown_and_replaced_knowingly(sales: Client, customer: Customer, clock: Any) -> None:
    sales.post(CREATE, typed(customer))
    quote = Quote.objects.get()
    edit = f"/admin/billing/quote/{quote.pk}/edit/"
    mine = sent(sales.get(edit)) | {"step": "save", "i0p0-discount": "20"}
    lea = signed_in("lea", SALES)
    clock.shift(60)
    lea.post(edit, sent(lea.get(edit)) | {"step": "save", "i0p0-discount": "10", "name": "Lea's"})

    refused = sales.post(edit, mine)
    page = refused.content.decode()
    assert refused.status_code == 200
    assert "lea saved this draft since you opened it" in page
    assert all(text in page for text in ("Saved meanwhile, and yours", "10%", "20%", "Lea&#x27;s"))
    assert quote.versions.get().terms["items"][0]["phases"][0]["discount_rate"] == "0.1"

    assert sales.post(edit, sent(refused) | {"step": "save"}).status_code == 302
    quote.refresh_from_db()
    assert quote.versions.get().terms["items"][0]["phases"][0]["discount_rate"] == "0.2"
    assert quote.name == "Deal"


def test_the_same_again_changes_nothing_and_is_refused_to_nobody(sales: Client, customer: Customer, clock: Any) -> None:
    sales.post(CREATE, typed(customer))
    quote = Quote.objects.get()
    edit = f"/admin/billing/quote/{quote.pk}/edit/"
    content = sent(sales.get(edit)) | {"step": "save", "i0p0-discount": "20"}
    assert sales.post(edit, content).status_code == 302
    before, entries = QuoteVersion.objects.get().updated_at, AuditEntry.objects.count()
    clock.shift(60)
    assert sales.post(edit, content).status_code == 302  # the second half of a double click
    assert (QuoteVersion.objects.get().updated_at, AuditEntry.objects.count()) == (before, entries)


def test_a_name_is_not_overwritten_unseen(customer: Customer) -> None:
    sam = makers.person("sam")
    quote = makers.draft(customer, makers.terms("platform"), by=sam)
    seen = quotes.seen_of(quote)
    values: dict[str, Any] = {"quote_id": quote.pk, "actor": makers.actor(sam)}
    quotes.update(values={"name": "First"}, at=instant("2026-01-02"), **values)
    with pytest.raises(quotes.QuoteChanged):
        quotes.update(values={"name": "Second"}, seen=seen, at=instant("2026-01-03"), **values)
    quote.refresh_from_db()
    assert quote.name == "First"


def test_another_currency_is_a_change_that_the_trail_tells(db: None) -> None:
    """Whoever changed only the currency wrote the quote too, and does not approve it."""
    parties.make_entity()
    sam, lea = makers.person("sam"), makers.person("lea")
    quote = makers.draft(None, {}, by=sam, prospect={"name": "New"}, currency="EUR", billing_entity_code="acme")
    version = makers.version_of(quote)
    quote_versions.change(
        version_id=version.pk,
        terms=quotes.read_terms({}),
        introduction="",
        valid_until=version.valid_until,
        currency="USD",
        actor=makers.actor(lea),
        at=instant("2026-01-02"),
    )
    entry = AuditEntry.objects.get(object_type="billing.quoteversion", verb="change")
    assert (entry.old, entry.new, entry.user_id) == ({"currency": "EUR"}, {"currency": "USD"}, lea.pk)


def test_sums_tell_that_somebody_submitted_it(sales: Client, customer: Customer) -> None:
    sales.post(CREATE, typed(customer))
    quote = Quote.objects.get()
    totals = f"/admin/billing/quote/{quote.pk}/totals/"
    content = sent(sales.get(f"/admin/billing/quote/{quote.pk}/edit/"))
    assert "is_over" not in sales.post(totals, content).json()
    makers.submit(quote, by=makers.person("lea"))
    assert "put it into a new version" in sales.post(totals, content).json()["is_over"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"term_months": "0"}, "Months: Ensure this value is greater than or equal to 1."),
        ({"term_months": "1e5"}, "Months: Enter a whole number."),
        ({"uplift": "NaN"}, "Uplift at renewal, %: Enter a number."),
    ],
)
def test_nothing_is_summed_up_on_what_was_not_typed(
    sales: Client, customer: Customer, values: dict[str, str], says: str
) -> None:
    html = sales.post(TOTALS, typed(customer, **values)).json()["html"]
    assert says in html
    assert "Over the term" not in html


def test_a_term_that_is_missing_is_told(sales: Client, customer: Customer) -> None:
    html = sales.post(TOTALS, typed(customer, term_months="")).json()["html"]
    assert "this is over twelve" in html
    assert "Over the term" in html


@pytest.mark.parametrize(
    ("fee", "says"), [("-5", "This is out of range."), ("99999999999999", "This is out of range.")]
)
def test_a_fee_is_none_below_nothing_or_beyond_what_can_be(
    sales: Client, customer: Customer, fee: str, says: str
) -> None:
    found = sales.post(TOTALS, typed(customer, **{"i0p0-fee": fee})).json()
    assert found["errors"]["i0p0-fee"] == says
    quote = makers.draft(
        customer,
        makers.terms(items=[{"phases": [{"plan_code": "platform", "overrides": {"amount_cents": -500}}]}])
        | {"term_months": 12},
        by=makers.person("lea"),
    )
    with pytest.raises(errors.Invalid):
        makers.submit(quote, by=makers.person("max"))


def test_rows_move_up_with_all_that_is_in_them(sales: Client, customer: Customer) -> None:
    content = typed(customer, step="up:items:1") | {
        "i-rows": "2", "i0-name": "first", "i1-rows": "1", "i1-name": "second", "i1p0-plan_code": "platform",
        "i1p0-discount": "7",
    }  # fmt: skip
    moved = sent(sales.post(CREATE, content))
    assert (moved["i0-name"], moved["i1-name"], moved["i0p0-discount"]) == ("second", "first", "7")


def test_a_quote_of_a_hundred_products_is_kept_whole_and_reads_each_price_list_once(
    sales: Client, customer: Customer, django_assert_max_num_queries: Any
) -> None:
    items = [{"external_id": f"s{number}", "phases": [{"plan_code": "platform"}]} for number in range(100)]
    quote = makers.draft(customer, {"term_months": 12, "items": items}, by=makers.person("lea"), at="2026-01-09")
    edit = f"/admin/billing/quote/{quote.pk}/edit/"
    content = sent(sales.get(edit)) | {"step": "save", "introduction": "New"}
    assert len(content) > 1000
    with django_assert_max_num_queries(60):
        sales.post(f"/admin/billing/quote/{quote.pk}/totals/", content)
    assert sales.post(edit, content).status_code == 302
    assert len(quote.versions.get().terms["items"]) == 100
