"""Quotes in the admin: the list and its views, the page, the verbs with their second person, rules, orders, panels."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.admin import quote_sums
from billing.models import Contract, Order, OrderForm, Quote, QuoteApprovalRule, QuoteDelivery, Subscription
from billing.services import quote_documents, quote_versions
from customers.models import Customer
from invoicing.models import Invoice
from tests.admin import addresses
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as makers
from tests.factories.billing import instant
from tests.factories.contracts import activate, draft, phase

pytestmark = pytest.mark.django_db

AT = instant("2026-01-10T10:00")
LIST = "/admin/billing/quote/"
SALES = ("view_quote", "add_quote", "change_quote", "send_quote", "sign_quote", "view_customer", "view_contract")
LEAD = (*SALES, "approve_quote", "add_quoteapprovalrule", "change_quoteapprovalrule", "view_quoteapprovalrule")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(quote_documents, "preview_pdf", lambda **_: b"%PDF-")
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def customer() -> Customer:
    seats = goods.fixed(goods.make_add_on("seat"), 10, "1")
    requests = goods.standard(goods.make_metric(), "0.10")
    goods.make_plan("platform", cents=10000, fixed_charges=[seats], charges=[requests], pay_in_advance=True)
    return parties.make_customer(parties.make_entity())


def browser(name: str, rights: tuple[str, ...], *groups: str) -> Client:
    client = Client()
    client.force_login(makers.person(name, rights=rights, groups=groups))
    return client


def drafted(customer: Customer, *, discount: str = "0", **values: Any) -> Quote:
    """A draft of somebody called maker."""
    phases = [{"plan_code": "platform", "discount_rate": discount}]
    offered = makers.terms(items=[{"external_id": "sub", "phases": phases}], term_months=12)
    number = Quote.objects.count()
    return makers.draft(customer, offered, by=makers.person(f"maker{number}"), at="2026-01-10T09:00", **values)


def address(quote: Quote, verb: str) -> str:
    return f"{LIST}{quote.pk}/{verb}/"


def text(response: Any) -> str:
    return str(response.content.decode())


def state(quote: Quote) -> str:
    return str(makers.version_of(quote).state)


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_from_the_draft_to_the_contract(customer: Customer) -> None:
    """Sales submits, a second person of the group agrees, the customer signs on paper: a contract and its invoice."""
    makers.rule("0.2")
    sales, lead = browser("sam", SALES), browser("lea", LEAD, "Heads")
    quote = drafted(customer, discount="0.25")

    shown = text(sales.get(address(quote, "submit")))
    assert "Heads" in shown
    assert "discount of 25% is above 20%" in shown
    assert state(quote) == "draft"
    assert sales.post(address(quote, "submit"), {}).status_code == 302
    assert state(quote) == "in_approval"
    assert OrderForm.objects.count() == 0

    assert sales.post(address(quote, "approve"), {}).status_code == 403
    page = text(lead.get(address(quote, "change")))
    assert "Yours is asked for" in page
    assert address(quote, "approve") in page
    assert lead.post(address(quote, "approve"), {"remark": "Fine"}).status_code == 302
    assert state(quote) == "approved"

    sent = sales.post(address(quote, "send"), {"to": "ada@example.com", "message": "As discussed."})
    assert sent.status_code == 302, sent.context["form"].errors
    assert QuoteDelivery.objects.get().recipients == ["ada@example.com"]

    preview = text(sales.get(address(quote, "sign")))
    # (100.00 − 25 %) in advance for the first month, as the first invoice would be
    assert "First invoice" in preview
    assert "€75.00" in preview
    assert (Contract.objects.count(), Invoice.objects.count(), Subscription.objects.count()) == (0, 0, 0)
    wrong = {"name": "Ada King", "mode": "execute", "document": SimpleUploadedFile("scan.pdf", b"nothing")}
    refused = sales.post(address(quote, "sign"), wrong)
    assert refused.context["form"].errors["document"]
    assert not Contract.objects.exists()
    scan = SimpleUploadedFile("scan.pdf", b"%PDF-1.7 signed")
    content = {"name": "Ada King", "title": "CTO", "mode": "execute", "document": scan}
    assert sales.post(address(quote, "sign"), content).status_code == 302
    assert state(quote) == "accepted"
    order = Order.objects.get()
    assert order.contract == Contract.objects.get()
    page = text(sales.get(address(quote, "change")))
    for part in ("Ada King", "CTO", order.number, order.contract.number):
        assert part in page, part


def test_nobody_approves_their_own(customer: Customer) -> None:
    makers.rule("0.2")
    quote = drafted(customer, discount="0.5")
    maker = Client()
    own = makers.person("own", rights=LEAD, groups=("Heads",))
    maker.force_login(own)
    makers.submit(quote, by=own, at="2026-01-10T09:30")
    assert address(quote, "approve") not in text(maker.get(address(quote, "change")))
    answer = maker.post(address(quote, "approve"), {"remark": "I am sure"})
    assert "Nobody approves a quote of their own" in text(answer)
    stranger = browser("stranger", LEAD)
    assert "for somebody of Heads" in text(stranger.post(address(quote, "approve"), {}))
    assert (state(quote), OrderForm.objects.count()) == ("in_approval", 0)
    lead = browser("lea", LEAD, "Heads")
    assert lead.post(address(quote, "reject"), {"remark": ""}).context["form"].errors["remark"]
    assert lead.post(address(quote, "reject"), {"remark": "Too deep"}).status_code == 302
    assert state(quote) == "voided"
    assert "Too deep" in text(maker.get(address(quote, "change")))


def test_versions_are_copied_compared_and_voided(customer: Customer) -> None:
    sales = browser("sam", SALES)
    quote = drafted(customer)
    makers.submit(quote, by=makers.person("other"), at="2026-01-10T09:30")
    copied = sales.post(address(quote, "new_version"), {})
    assert copied.url == address(quote, "edit")
    version = makers.version_of(quote)
    assert (version.number, version.state) == (2, "draft")
    changed = {**version.terms, "term_months": 24, "payment_term_days": 60}
    quote_versions.change(
        version_id=version.pk, terms=makers.quote_terms.read(changed), introduction="", valid_until=version.valid_until,
        actor=makers.actor(makers.person("third")), at=AT,
    )  # fmt: skip
    page = text(sales.get(f"{address(quote, 'compare')}?from=1&to=2"))
    for part in ("Months", "Payment term in days", "60"):
        assert part in page
    assert "Renewal" not in page
    for odd in ("?from=9&to=x", "?from=%00"):
        assert sales.get(address(quote, "compare") + odd).status_code == 200
    assert sales.post(address(quote, "void"), {"reason": "They bought elsewhere"}).status_code == 302
    assert state(quote) == "voided"
    assert sales.get(address(quote, "submit")).status_code == 302


def test_a_refusal_is_written_down(customer: Customer) -> None:
    sales = browser("sam", SALES)
    quote = drafted(customer)
    makers.submit(quote, by=makers.person("other"), at="2026-01-10T09:30")
    assert sales.post(address(quote, "decline"), {"name": "Ada", "reason": "Too dear"}).status_code == 302
    assert state(quote) == "declined"
    assert "Too dear" in text(sales.get(address(quote, "change")))
    assert not Contract.objects.exists()


def test_views_of_the_list(customer: Customer) -> None:
    makers.rule("0.2")
    mine, waiting, soon = drafted(customer), drafted(customer, discount="0.5"), drafted(customer, name="Soon over")
    lead = makers.person("lea", rights=LEAD, groups=("Heads",))
    Quote.objects.filter(pk=mine.pk).update(owner=lead)
    other = makers.person("other")
    makers.submit(waiting, by=other, at="2026-01-10T09:30")
    soon.versions.update(valid_until="2026-01-12")
    makers.submit(soon, by=other, at="2026-01-10T09:30")
    client = Client()
    client.force_login(lead)

    def found(query: str) -> set[Quote]:
        return set(client.get(f"{LIST}?{query}").context["cl"].result_list)

    assert found("") == {mine, waiting, soon}
    assert found("view=mine") == {mine}
    assert found("view=for_me") == {waiting}
    assert found("view=expiring") == {soon}
    assert found("view=sent") == set()
    assert found("state=in_approval") == {waiting}
    assert found("q=Soon") == {soon}
    assert found(f"q={customer.external_id}") == {mine, waiting, soon}
    assert found("currency=EUR") == {mine, waiting, soon}
    for odd in ("view=nobody&state=x&currency=XXX", "q=%00", "state=%27"):
        assert client.get(f"{LIST}?{odd}").status_code in (200, 302)
    assert "in 2 days" in text(client.get(LIST))


def test_pages_make_a_fixed_number_of_queries(customer: Customer) -> None:
    sales = browser("sam", LEAD)
    quote = drafted(customer)
    few = queries(sales, LIST), queries(sales, address(quote, "change")), queries(sales, address(quote, "edit"))
    for _ in range(3):
        drafted(customer)
    phases = [{"plan_code": "platform", "after_months": number} for number in range(8)]
    long = makers.draft(
        customer, makers.terms(items=[{"phases": phases}] * 4, term_months=12), by=makers.person("long")
    )
    many = queries(sales, LIST), queries(sales, address(long, "change")), queries(sales, address(long, "edit"))
    assert [new <= old for new, old in zip(many, few, strict=True)] == [True, True, True], (few, many)
    assert many[0] <= 20


def test_rules_are_sentences(customer: Customer) -> None:
    lead = browser("lea", LEAD, "Heads")
    rules = "/admin/billing/quoteapprovalrule/"
    assert "Add the usual rules" in text(lead.get(rules))
    group = lead.get(f"{rules}create/").context["form"].fields["group"].queryset.get(name="Heads").pk
    content = {"name": "Deep", "subject": "discount_rate", "limit": "20", "group": group, "currency": ""}
    assert lead.post(f"{rules}create/", {**content, "limit": "120"}).context["form"].errors["limit"]
    assert lead.post(f"{rules}create/", content).status_code == 302
    rule = QuoteApprovalRule.objects.get()
    assert (str(rule.threshold), rule.is_active) == ("0.20000000", True)
    assert "A discount above 20% needs Heads" in text(lead.get(rules))
    assert "Add the usual rules" not in text(lead.get(rules))
    assert lead.post(f"{rules}{rule.pk}/edit/", {**content, "limit": "30"}).status_code == 302
    assert lead.post(f"{rules}{rule.pk}/switch/", {}).status_code == 302
    rule.refresh_from_db()
    assert (str(rule.threshold), rule.is_active) == ("0.30000000", False)
    reader = browser("reader", ("view_quoteapprovalrule",))
    assert reader.post(f"{rules}create/", content).status_code == 403
    assert QuoteApprovalRule.objects.count() == 1


def test_the_usual_rules_are_made_by_one_click(customer: Customer) -> None:
    lead = browser("lea", LEAD, "Heads")
    propose = "/admin/billing/quoteapprovalrule/propose/"
    asked = lead.get(propose)
    for said in ("A discount above 20%", "A term above 36 months", "A payment term above 30 days"):
        assert said in text(asked)
    assert not QuoteApprovalRule.objects.exists()
    group = asked.context["form"].fields["group"].queryset.get(name="Heads").pk
    assert browser("reader", ("view_quoteapprovalrule",)).post(propose, {"group": group}).status_code == 403
    assert lead.post(propose, {"group": group}).status_code == 302
    again = lead.post(propose, {"group": group})  # the second half of a double click
    assert "There are rules already" in text(again)
    found = QuoteApprovalRule.objects.values_list("subject", "threshold", "group__name")
    assert sorted((subject, str(limit), name) for subject, limit, name in found) == [
        ("discount_rate", "0.20000000", "Heads"),
        ("payment_term_days", "30.00000000", "Heads"),
        ("term_months", "36.00000000", "Heads"),
    ]


def test_an_order_that_waits_is_executed(customer: Customer) -> None:
    quote = drafted(customer)
    makers.submit(quote, by=makers.person("other"), at="2026-01-10T09:30")
    sales = browser("sam", SALES)
    content = {"name": "Ada King", "mode": "order_only"}
    assert sales.post(address(quote, "sign"), content).status_code == 302
    order = Order.objects.get()
    assert (order.state, Contract.objects.count()) == ("created", 0)
    page = f"/admin/billing/order/{order.pk}/"
    assert sales.get(f"{page}execute/").status_code == 403
    finance = browser("fin", ("view_order", "execute_order", "view_quote"))
    assert "Ada King" in text(finance.get(f"{page}change/"))
    assert finance.post(f"{page}execute/", {"mode": "execute"}).status_code == 302
    order.refresh_from_db()
    assert (order.state, order.contract) == ("executed", Contract.objects.get())
    assert finance.get(f"{page}execute/").status_code == 302
    assert order.number in text(finance.get("/admin/billing/order/"))


def test_customers_and_contracts_show_their_quotes(customer: Customer, admin_client: Client) -> None:
    quote = drafted(customer)
    page = text(admin_client.get(f"/admin/customers/customer/{customer.pk}/change/"))
    assert quote.number in page
    contract = draft(customer, phase("platform"))
    activate(contract)
    page = text(admin_client.get(f"/admin/billing/contract/{contract.pk}/change/"))
    assert f"/admin/billing/quote/create/?contract={contract.pk}&amp;kind=renewal" in page
    assert "Quote a change" in page


def test_every_address_as_a_reader_and_as_everybody(customer: Customer) -> None:
    """GET changes nothing whoever asks; POST of somebody who may only look is refused."""
    other = makers.person("other")
    drafted(customer)
    quote = drafted(customer)
    makers.submit(quote, by=other, at="2026-01-10T09:30")
    sales = browser("sam", SALES)
    assert sales.post(address(quote, "sign"), {"name": "Ada", "mode": "order_only"}).status_code == 302
    rule = makers.rule("0.2")
    found = [one for one in addresses.every() if one.startswith(("/admin/billing/quote", "/admin/billing/order"))]
    assert len(found) > 40
    assert f"/admin/billing/quoteapprovalrule/{rule.pk}/switch/" in found
    everybody, reader = Client(), browser("reader", ("view_quote", "view_order", "view_quoteapprovalrule"))
    everybody.force_login(makers.User.objects.create_superuser("root", password="x"))
    before = addresses.fingerprint()
    answers = {one: everybody.get(one).status_code for one in found}
    assert {one: status for one, status in answers.items() if status not in {200, 302, 404, 405}} == {}
    assert addresses.fingerprint() == before
    content = {"_do": "1", "reason": "because", "remark": "yes", "name": "x", "to": "a@example.com", "mode": "execute"}
    refused = {one: reader.post(one, content).status_code for one in found}
    assert {one: status for one, status in refused.items() if status not in {200, 302, 403, 404, 405}} == {}
    assert {status for one, status in refused.items() if one.endswith(("/create/", "/submit/", "/edit/"))} == {403}
    assert addresses.fingerprint() == before


def test_who_may_only_look_has_no_verbs(customer: Customer) -> None:
    quote = drafted(customer)
    reader = browser("reader", ("view_quote",))
    page = text(reader.get(address(quote, "change")))
    assert quote.number in page
    for verb in ("submit", "approve", "reject", "send", "sign", "decline", "new_version", "void", "edit"):
        assert address(quote, verb) not in page
        assert reader.post(address(quote, verb), {}).status_code == 403, verb
    assert reader.get(address(quote, "pdf"))["Content-Type"] == "application/pdf"
    assert browser("nobody", ()).get(address(quote, "pdf")).status_code == 403
    assert state(quote) == "draft"


def test_a_discount_has_the_places_of_the_document() -> None:
    assert quote_sums.rate_text(Decimal(357) / Decimal(3588)) == "9.95%"  # 0.099498..., as the PDF has it
    assert quote_sums.rate_text(Decimal("0.1")) == "10%"
