"""The page of a quote: what it shows in which state, what an answer makes, and what is refused without a trace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from billing.models import Contract, Order, OrderForm, Quote, Subscription
from billing.services import order_forms, quote_documents, quote_execution, quote_links, quote_versions
from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from invoicing.services import document_pdf
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant
from tests.portal.conftest import LOGO

NOW = instant("2026-01-02T10:00")
ANSWER = {
    "step": "accept",
    "signer_name": "Ada King",
    "signer_title": "Head of IT",
    "signer_email": "ada@umbrella.test",
    "may_sign": "on",
}
DETAILS = {
    "legal_name": "Umbrella GmbH",
    "tax_identification_number": "DE123456788",
    "billing_email": "ap@umbrella.test",
    "address_line1": "Hauptstr. 1",
    "zipcode": "10115",
    "city": "Berlin",
    "country": "DE",
}


@pytest.fixture(autouse=True)
def _second_of_january(_first_of_may: None) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _no_printer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print nothing: how a document looks is tested elsewhere, and takes a second each."""
    monkeypatch.setattr(document_pdf, "write", lambda *, html: b"%PDF-" + html.encode())


@pytest.fixture
def seller() -> BillingEntity:
    return parties.make_entity(
        "nord", name="Nordlicht", country="DE", timezone="UTC", accent_color="#ffcc00", logo=LOGO, email="s@nord.test"
    )


@pytest.fixture
def buyer(seller: BillingEntity) -> Customer:
    return parties.make_customer(seller, "umbrella", name="Umbrella", country="DE", email="ap@umbrella.test")


@pytest.fixture
def sam() -> User:
    return made.person("sam")


def offer(buyer: Customer | None, sam: User, *, cents: int = 100000, **values: Any) -> tuple[OrderForm, str]:
    """Make an order form with its document, send it, and return it with the address of its page."""
    plan = goods.make_plan(cents=cents, pay_in_advance=True).plan.code
    quote = made.draft(buyer, made.terms(plan), by=sam, **values)
    version = made.submit(quote, by=sam)
    form = OrderForm.objects.get(version=version)
    quote_documents.render(order_form_id=form.pk, at=NOW)
    sent = order_forms.send(order_form_id=form.pk, to=["a@b.test"], message="", actor=made.actor(sam), at=NOW)
    form.refresh_from_db()
    return form, f"/quote/{sent.token}/"


def answer(form: OrderForm, **values: str) -> dict[str, str]:
    return {**ANSWER, "document_sha256": form.sha256, **values}


def shown(address: str, at: datetime = NOW) -> Any:
    with time_machine.travel(at, tick=False):
        return Client().get(address)


def text(page: Any) -> str:
    return re.sub(r"\s+", " ", page.content.decode().replace("\u00a0", " "))


@pytest.mark.django_db
def test_the_page_shows_the_offer_and_changes_nothing(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam, introduction="Thank you for your time.")
    before = OrderForm.objects.values().get(), AuditEntry.objects.count()

    page = Client().get(address)

    assert page.status_code == 200
    told = text(page)
    assert "QT-2026-0001" in told
    assert "Thank you for your time." in told
    assert "€1,000.00 a month" in told
    assert "€12,000.00" in told  # 12 × 1,000.00
    assert f"SHA-256 <code>{form.sha256}</code>" in told
    assert "Valid until 31 Jan 2026" in told
    assert (OrderForm.objects.values().get(), AuditEntry.objects.count()) == before
    pdf = Client().get(f"{address}document.pdf")
    assert (pdf["Content-Type"], pdf["Content-Disposition"]) == (
        "application/pdf",
        'attachment; filename="OF-2026-0001.pdf"',
    )
    assert b"".join(pdf.streaming_content) == quote_documents.content(order_form=form)


@pytest.mark.django_db
def test_what_every_page_says_to_browsers(buyer: Customer, sam: User) -> None:
    _, address = offer(buyer, sam)
    for path in ("", "document.pdf", "theme.css", "logo.svg"):
        page = Client().get(address + path)
        assert page.status_code == 200
        assert page["Cache-Control"] == "private, no-store"
        assert page["X-Robots-Tag"] == "noindex, nofollow"
        assert page["Referrer-Policy"] == "same-origin"
        assert page["X-Frame-Options"] == "DENY"
        assert page["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    told = Client().get(address).content.decode()
    assert "<script" not in told
    assert "style=" not in told
    assert Client().get(f"{address}theme.css").content.decode().startswith(":root { --accent: #ffcc00;")
    assert b"script" not in Client().get(f"{address}logo.svg").content
    assert Client().put(address).status_code == 405


@pytest.mark.django_db
def test_an_acceptance_makes_the_contract_and_keeps_who_signed_what(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam)

    done = Client().post(
        address,
        answer(form, purchase_order_number="PO-7"),
        REMOTE_ADDR="203.0.113.7",
        headers={"User-Agent": "Firefox"},
    )

    assert (done.status_code, done["Location"]) == (302, address)
    form.refresh_from_db()
    assert (form.state, form.signer_name, form.signer_title) == ("signed", "Ada King", "Head of IT")
    assert (form.signer_email, form.signer_address) == ("ada@umbrella.test", "203.0.113.7")
    assert (form.signer_client, form.decided_at) == ("Firefox", NOW)
    contract = Contract.objects.get()
    assert (contract.state, contract.purchase_order_number) == ("active", "PO-7")
    assert Order.objects.get().snapshot["document_sha256"] == form.sha256
    assert Invoice.objects.get().fees_amount.amount == 1000  # the first month, in advance
    entry = AuditEntry.objects.get(verb="sign")
    assert (entry.actor_kind, entry.actor_label) == ("customer", "Ada King")
    page = text(Client().get(address))
    assert "Thank you, your order is placed" in page
    assert "Ada King, Head of IT" in page
    assert "2 Jan 2026, 10:00 (UTC)" in page
    assert 'name="step"' not in page
    (portal,) = re.findall(r'href="(/portal/[^"]+)"', page)
    assert Client().get(portal).status_code == 200
    later = shown(address, NOW + timedelta(days=60))
    assert later.status_code == 200
    assert "/portal/" not in text(later).replace("/static/portal/", "")


@pytest.mark.django_db
def test_the_same_click_twice_is_one_acceptance(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam)
    first, second = (Client().post(address, answer(form)) for _ in range(2))
    third = Client().post(address, {**answer(form, reason="No."), "step": "decline"})
    assert first.status_code == second.status_code == third.status_code == 302
    assert (Contract.objects.count(), Order.objects.count(), Invoice.objects.count()) == (1, 1, 1)
    form.refresh_from_db()
    assert (form.state, form.reason) == ("signed", "")


@pytest.mark.django_db
@pytest.mark.parametrize("answered", ["accept", "decline"])
def test_a_click_that_came_second_is_told_how_it_was_answered(
    buyer: Customer, sam: User, monkeypatch: pytest.MonkeyPatch, answered: str
) -> None:
    form, address = offer(buyer, sam)
    real = order_forms.opened

    def opened_before(*, token: str, at: datetime) -> OrderForm:
        """Answer as somebody else between the page's look and its own answer."""
        found = real(token=token, at=at)
        monkeypatch.setattr(order_forms, "opened", real)
        order_forms.decline(order_form_id=found.pk, reason="No.", signer=made.SIGNER, actor=made.actor(sam), at=at)
        return found

    monkeypatch.setattr(order_forms, "opened", opened_before)
    done = Client().post(address, answer(form, step=answered, reason="Never."))

    assert (done.status_code, done["Location"]) == (302, address)
    form.refresh_from_db()
    assert (form.state, form.reason) == ("declined", "No.")
    assert Contract.objects.count() == 0


@pytest.mark.django_db
def test_names_and_texts_are_text(seller: BillingEntity, sam: User) -> None:
    evil = "<script>alert(1)</script>"
    buyer = parties.make_customer(seller, "evil", name=f"Evil {evil}", country="DE")
    form, address = offer(buyer, sam, name=evil, introduction=f"{evil} {{{{ 1 }}}}")
    wrong = Client().post(address, answer(form, signer_name=f'"><img src=x onerror=1>{evil}', signer_email=evil))
    Client().post(address, answer(form, signer_name=evil, signer_title='"><b>'))

    for page in (wrong, Client().get(address)):
        told = page.content.decode()
        assert "&lt;script&gt;" in told
        assert "<script" not in told
        assert "<img src=x" not in told
        assert '"><b>' not in told


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"document_sha256": "0" * 64}, "The document was changed since you opened this page."),
        ({"may_sign": ""}, "Please confirm this."),
        ({"signer_name": " "}, "This is needed."),
        ({"signer_title": ""}, "This is needed."),
        ({"signer_email": "ada"}, "Please check this."),
        ({"signer_name": "x" * 256}, "This is too long."),
        ({"document_sha256": ""}, ""),
    ],
)
def test_an_answer_that_is_not_good_changes_nothing(
    buyer: Customer, sam: User, changed: dict[str, str], said: str
) -> None:
    form, address = offer(buyer, sam)
    page = Client().post(address, answer(form, **changed))
    assert page.status_code == 422
    assert said in text(page)
    assert "Head of IT" in text(page) or "signer_title" in changed  # what was typed stays
    form.refresh_from_db()
    assert form.state == OrderForm.State.GENERATED
    assert Contract.objects.count() == 0


@pytest.mark.django_db
def test_what_cannot_be_made_leaves_nothing(seller: BillingEntity, sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    form, address = offer(None, sam, prospect={"name": "Umbrella"}, billing_entity_code=seller.code)

    def fail(**_: Any) -> None:
        raise errors.Conflict("plan_is_gone", "The house's own business.")

    monkeypatch.setattr(quote_execution, "execute", fail)
    page = Client().post(address, answer(form, **DETAILS))
    assert page.status_code == 422
    assert "could not be taken, and nothing was changed" in text(page)
    assert "own business" not in text(page)
    assert Quote.objects.get().prospect == {"name": "Umbrella"}
    assert (Customer.objects.count(), Contract.objects.count(), Order.objects.count()) == (0, 0, 0)


@pytest.mark.django_db
def test_a_new_customer_completes_its_billing_details(seller: BillingEntity, sam: User) -> None:
    prospect = {"name": "Umbrella", "external_id": "umbrella", "country": "DE"}
    form, address = offer(None, sam, prospect=prospect, billing_entity_code=seller.code)
    assert 'name="legal_name"' in text(Client().get(address))

    wrong = Client().post(address, answer(form, **{**DETAILS, "billing_email": "nobody", "city": ""}))
    assert wrong.status_code == 422
    assert text(wrong).count("problem") == 2
    assert Customer.objects.count() == 0
    assert Client().post(address, answer(form, **DETAILS)).status_code == 302

    customer = Customer.objects.get()
    assert (customer.external_id, customer.name, customer.legal_name) == ("umbrella", "Umbrella", "Umbrella GmbH")
    assert (customer.email, customer.zipcode, customer.city) == ("ap@umbrella.test", "10115", "Berlin")
    assert customer.billing_entity == seller
    assert Subscription.objects.get().customer == customer
    assert AuditEntry.objects.get(verb="complete_prospect").new["legal_name"] == "Umbrella GmbH"


@pytest.mark.django_db
def test_nobody_changes_a_known_customer_with_a_quote(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam)
    assert Client().post(address, answer(form, **{**DETAILS, "billing_email": "thief@x.test"})).status_code == 302
    buyer.refresh_from_db()
    assert (buyer.email, buyer.legal_name) == ("ap@umbrella.test", "")


@pytest.mark.django_db
def test_a_refusal_is_kept_with_its_reason(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam)
    refusal = {"step": "decline", "document_sha256": form.sha256, "signer_name": "Ada King"}
    silent = Client().post(address, refusal)
    assert silent.status_code == 422
    assert 'class="q-decline" open' in text(silent)
    assert Client().post(address, {**refusal, "reason": "Too expensive."}).status_code == 302
    form.refresh_from_db()
    assert (form.state, form.reason, form.signer_name) == ("declined", "Too expensive.", "Ada King")
    page = shown(address)
    assert page.status_code == 200
    assert "You declined this quote" in text(page)
    assert Contract.objects.count() == 0
    assert Client().post(address, {**refusal, "step": "nonsense"}).status_code == 302


@pytest.mark.django_db
def test_an_offer_that_is_over_says_so(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam)
    late = instant("2026-02-01")
    page = shown(address, late)
    assert page.status_code == 410
    assert "This quote has expired" in text(page)
    with time_machine.travel(late, tick=False):
        assert Client().post(address, answer(form)).status_code == 302
    order_forms.expire_due(as_of=late)
    assert shown(address, late).status_code == 410
    assert Contract.objects.count() == 0


@pytest.mark.django_db
def test_an_offer_that_was_replaced_says_so(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam)
    quote_versions.clone(version_id=form.version_id, actor=made.actor(sam), at=NOW)
    page = Client().get(address)
    assert page.status_code == 410
    assert "does not count any more" in text(page)
    assert Client().get(f"{address}document.pdf").status_code == 404
    assert Client().post(address, answer(form)).status_code == 302
    assert Contract.objects.count() == 0


@pytest.mark.django_db
def test_links_that_are_none_tell_nobody(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam)
    again = order_forms.send(order_form_id=form.pk, to=["a@b.test"], message="", actor=made.actor(sam), at=NOW)
    for path in ("", "document.pdf", "theme.css", "logo.svg"):
        replaced = Client().get(address + path)
        assert replaced.status_code == 410
        assert b"There is a newer link" in replaced.content
    assert Client().get(f"/quote/{again.token}/").status_code == 200
    for token in ("x", again.token[:-1], quote_links.mint(order_form=form), "a" * 3000, str(form.uuid)):
        wrong = Client().get(f"/quote/{token}/")
        assert wrong.status_code in (404, 410)
        assert wrong["X-Robots-Tag"] == "noindex, nofollow"
        assert b"Umbrella" not in wrong.content
        assert b"Nordlicht" not in wrong.content
        assert Client().post(f"/quote/{token}/", answer(form)).status_code in (404, 410)
    assert Contract.objects.count() == 0


@pytest.mark.django_db
def test_forged_forms_are_refused(buyer: Customer, sam: User) -> None:
    form, address = offer(buyer, sam)
    assert Client(enforce_csrf_checks=True).post(address, answer(form)).status_code == 403
    form.refresh_from_db()
    assert form.state == OrderForm.State.GENERATED


@pytest.mark.django_db
def test_a_document_that_is_not_there_yet_cannot_be_signed(buyer: Customer, sam: User) -> None:
    quote = made.draft(buyer, made.terms(goods.make_plan().plan.code), by=sam)
    form = OrderForm.objects.get(version=made.submit(quote, by=sam))
    sent = order_forms.send(order_form_id=form.pk, to=["a@b.test"], message="", actor=made.actor(sam), at=NOW)
    page = Client().get(f"/quote/{sent.token}/")
    assert "The document is being made." in text(page)
    assert 'name="step"' not in text(page)
    assert Client().get(f"/quote/{sent.token}/document.pdf").status_code == 404
    assert Client().post(f"/quote/{sent.token}/", answer(form)).status_code == 422


@pytest.mark.django_db
def test_a_german_customer_reads_german(seller: BillingEntity, sam: User) -> None:
    customer = parties.make_customer(seller, "m", name="Musterbau", country="DE", document_locale="de")
    form, address = offer(customer, sam)
    told = text(Client().get(address))
    assert '<html lang="de">' in told
    for words in ("Angebot QT-2026-0001", "1.000,00 € im Monat", "Summe über 12 Monate", "Verbindlich annehmen"):
        assert words in told
    assert "Das wird gebraucht." in text(Client().post(address, answer(form, signer_name="")))
    Client().post(address, answer(form))
    assert "Vielen Dank, Sie haben bestellt" in text(Client().get(address))


@pytest.mark.django_db
def test_a_page_takes_a_fixed_number_of_queries(buyer: Customer, sam: User, django_assert_max_num_queries: Any) -> None:
    _, address = offer(buyer, sam)
    with django_assert_max_num_queries(5):
        assert Client().get(address).status_code == 200
    with django_assert_max_num_queries(2):
        assert Client().get(f"{address}theme.css").status_code == 200
