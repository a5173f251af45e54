"""What an invoice says: texts, order, languages, and what is left out."""

from datetime import UTC, datetime

import pytest
from moneyed import Money

from invoicing.domain.document_view import InvoiceView
from invoicing.models import Invoice
from invoicing.services import credit_notes, document_pages, document_views, invoices, payments
from tests.factories import documents as factory
from tests.factories import invoicing as make
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db

FEE = LineRow("Fee", "10.00", unit_amount="10")


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " ")


def view_of(invoice: Invoice) -> InvoiceView:
    return document_views.of(invoice=document_views.read(invoice_id=invoice.pk))


def facts(view: InvoiceView) -> dict[str, str]:
    return {fact.label: plain(fact.value) for fact in view.facts}


def test_facts_of_an_invoice() -> None:
    customer = factory.buyer(factory.seller(), metadata={"Kostenstelle": "4711"})
    view = view_of(factory.finalized(customer, [FEE], purchase_order_number="PO-1"))
    assert facts(view) == {
        "Rechnungsnummer": "NOR-202606-001",
        "Rechnungsdatum": "01.06.2026",
        "Fällig am": "15.06.2026",
        "Leistungszeitraum": "1.–31. Mai 2026",
        "Bestellnummer": "PO-1",
        "Kostenstelle": "4711",
    }


def test_parties_have_legal_names_addresses_and_ids() -> None:
    view = view_of(factory.finalized(factory.buyer(factory.seller()), [FEE]))
    assert view.seller.name == "Nordlicht Hosting GmbH"
    assert view.seller.address == ("Am Sandtorkai 12", "20457 Hamburg", "Deutschland")
    assert [(fact.label, fact.value) for fact in view.seller.ids] == [
        ("USt-IdNr.", "DE811907980"),
        ("Registernr.", "HRB 123456"),
    ]
    assert view.buyer.name == "Musterbau AG"
    assert view.buyer.address == ("Lindenstraße 4", "10969 Berlin", "Deutschland")
    assert view.ship_to == ()


def test_an_american_seller_gets_letter_paper_and_other_words() -> None:
    entity = factory.seller(
        country="US", state="CA", city="San Francisco", zipcode="94103", iban="000123456789", bic="121000358"
    )
    view = view_of(factory.finalized(factory.buyer(entity), [FEE], locale="en", currency="USD", rates={}))
    assert view.paper == "letter"
    assert "San Francisco, CA 94103" in view.seller.address
    assert view.seller.ids[0].label == "Tax ID"
    assert [fact.label for fact in view.payment] == [
        "Account holder",
        "Bank",
        "Account number",
        "Routing number",
        "Payment reference",
    ]
    assert view.due_on == "Jun 15, 2026"


def test_bank_details_show_the_iban_in_groups() -> None:
    view = view_of(factory.finalized(factory.buyer(factory.seller()), [FEE]))
    assert {fact.label: fact.value for fact in view.payment} == {
        "Kontoinhaber": "Nordlicht Hosting GmbH",
        "Bank": "Hanseatische Bank",
        "IBAN": "DE89 3704 0044 0532 0130 00",
        "BIC": "COBADEFFXXX",
        "Verwendungszweck": "NOR-202606-001",
    }


def test_no_account_no_bank_details() -> None:
    assert view_of(factory.finalized(factory.buyer(factory.seller(iban="")), [FEE])).payment == ()


def test_lines_are_grouped_by_contract_in_their_order() -> None:
    rows = [
        LineRow("Fee", "10.00", group="A"),
        LineRow("Fee", "20.00", group="B"),
        LineRow("Usage", "5.00", group="A", charge_model="standard"),
    ]
    view = view_of(factory.finalized(factory.buyer(factory.seller()), rows))
    assert [(group.label, [line.label for line in group.lines]) for group in view.groups] == [
        ("A", ["Fee", "Usage"]),
        ("B", ["Fee"]),
    ]
    assert [plain(group.subtotal) for group in view.groups] == ["15,00 €", "20,00 €"]


def test_one_group_has_no_subtotal() -> None:
    (group,) = view_of(factory.finalized(factory.buyer(factory.seller()), [FEE])).groups
    assert group.subtotal == ""


def test_a_period_is_said_once_where_it_is_the_same() -> None:
    june = (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
    rows = [
        LineRow("Fee", "1.00", group="A"),
        LineRow("Usage", "1.00", group="A"),
        LineRow("Fee", "1.00", group="B", period=june),
        LineRow("Usage", "1.00", group="B"),
    ]
    same, mixed = view_of(factory.finalized(factory.buyer(factory.seller()), rows)).groups
    assert same.period == "1.–31. Mai 2026"
    assert {line.period for line in same.lines} == {""}
    assert mixed.period == ""
    assert [line.period for line in mixed.lines] == ["1.–30. Juni 2026", "1.–31. Mai 2026"]


def test_periods_are_local_days() -> None:
    # 30 April, 15:00 UTC is midnight of 1 May in Tokyo
    period = (datetime(2026, 4, 30, 15, tzinfo=UTC), datetime(2026, 5, 31, 15, tzinfo=UTC))
    row = LineRow("Fee", "1.00", period=period)
    view = view_of(factory.finalized(factory.buyer(factory.seller()), [row], timezone="Asia/Tokyo"))
    assert view.groups[0].period == "1.–31. Mai 2026"


def test_tiers_are_shown_below_their_line_and_replace_the_average_price() -> None:
    tiers = [
        {
            "from_value": "0",
            "to_value": "1000",
            "units": "1000",
            "per_unit_amount": "0",
            "per_unit_total_amount": "0",
            "flat_unit_amount": "0",
        },
        {
            "from_value": "1001",
            "to_value": None,
            "units": "250",
            "per_unit_amount": "0.00012",
            "per_unit_total_amount": "0.03",
            "flat_unit_amount": "5",
        },
    ]
    row = LineRow("Usage", "5.03", "1250", "0.004024", charge_model="graduated", details={"graduated_ranges": tiers})
    (line,) = view_of(factory.finalized(factory.buyer(factory.seller()), [row])).groups[0].lines
    assert (line.units, line.price, plain(line.amount)) == ("1.250", "", "5,03 €")
    assert [(part.label, part.units, plain(part.price), plain(part.amount)) for part in line.parts] == [
        ("Bis 1.000", "1.000", "0,00 €", "0,00 €"),
        ("Ab 1.001", "250", "0,00012 €", "0,03 €"),
        ("Pauschale", "", "", "5,00 €"),
    ]


def test_taxes_show_rate_base_and_tax_and_a_column_where_lines_differ() -> None:
    rows = [LineRow("Service", "100.00"), LineRow("Book", "50.00", tax_codes=("reduced",))]
    rates = {"vat": ("USt.", "0.19"), "reduced": ("USt.", "0.07")}
    view = view_of(factory.finalized(factory.buyer(factory.seller()), rows, rates=rates))
    assert [(tax.label, plain(tax.rate), plain(tax.base), plain(tax.amount)) for tax in view.taxes] == [
        ("USt.", "19 %", "100,00 €", "19,00 €"),
        ("USt.", "7 %", "50,00 €", "3,50 €"),
    ]
    assert view.has_tax_column
    assert [plain(line.tax_rate) for line in view.groups[0].lines] == ["19 %", "7 %"]
    assert view.tax_note == ""
    assert plain(view.total) == "172,50 €"


def test_no_tax_is_said() -> None:
    view = view_of(factory.finalized(factory.buyer(factory.seller()), [FEE], rates={}))
    assert view.tax_note == "Diese Rechnung enthält keine Steuer."
    assert view.taxes == ()


def test_nothing_to_pay() -> None:
    view = view_of(factory.finalized(factory.buyer(factory.seller()), [LineRow("Free", "0")], rates={}))
    assert view.is_nothing_due
    assert view.payment == ()
    assert "Bitte zahlen" not in document_pages.html(view=view)
    assert "Fällig am" not in facts(view)
    assert not view.is_paid


@pytest.mark.parametrize(
    ("label", "locale", "said"),
    [
        ("API calls – late usage", "en", "API calls – late usage"),
        ("API calls – late usage", "de", "API calls – nachgemeldete Nutzung"),
        ("API calls – late usage", "fr", "API calls – consommation déclarée tardivement"),
        ("API calls – True-up", "de", "API calls – Ausgleich zum Mindestbetrag"),
        ("API – True-up – eu – late usage", "de", "API – Ausgleich zum Mindestbetrag – eu – nachgemeldete Nutzung"),
        ("True-up", "de", "True-up"),  # the name that the seller gave it
        ("A late usage fee – eu", "de", "A late usage fee – eu"),
    ],
)
def test_what_billing_adds_to_a_name_is_in_the_language_of_the_document(label: str, locale: str, said: str) -> None:
    invoice = factory.finalized(factory.buyer(factory.seller()), [LineRow(label, "10.00")], locale=locale)
    view = view_of(invoice)
    assert [line.label for group in view.groups for line in group.lines] == [said]
    assert said in document_pages.html(view=view)
    assert invoice.lines.get().label == label


def test_a_shipping_address_of_its_own_is_shown() -> None:
    same = {"address_line1": "Lindenstraße 4", "zipcode": "10969", "city": "Berlin", "country": "DE"}
    entity = factory.seller()
    shipped = factory.buyer(entity, shipping_address={**same, "address_line1": "Tor 7"})
    assert view_of(factory.finalized(shipped, [FEE])).ship_to == ("Tor 7", "10969 Berlin", "Deutschland")
    at_home = factory.buyer(entity, external_id="2", slug="2", shipping_address=same)
    assert view_of(factory.finalized(at_home, [FEE], number="2")).ship_to == ()


@pytest.mark.parametrize(
    ("locale", "title", "due"),
    [
        ("en", "Invoice", "15 Jun 2026"),
        ("de", "Rechnung", "15.06.2026"),
        ("fr", "Facture", "15 juin 2026"),
        ("es", "Factura", "15 jun 2026"),
        ("it", "Fattura", "15 giu 2026"),
        ("nb", "Faktura", "15. juni 2026"),
        ("pt-BR", "Fatura", "15 de jun. de 2026"),
        ("sv", "Faktura", "15 juni 2026"),
        ("zh-TW", "發票", "2026年6月15日"),
    ],
)
def test_the_document_speaks_the_language_of_the_invoice(locale: str, title: str, due: str) -> None:
    view = view_of(factory.finalized(factory.buyer(factory.seller()), [FEE], locale=locale))
    assert (view.title, plain(view.due_on)) == (title, due)
    html = document_pages.html(view=view)
    assert f'<html lang="{view.language}">' in html
    assert f"<h1>{title}</h1>" in html


def test_a_language_leaves_no_trace_in_the_next_document() -> None:
    customer = factory.buyer(factory.seller())
    french = factory.finalized(customer, [FEE], locale="fr", number="1")
    english = factory.finalized(customer, [FEE], locale="en", number="2")
    document_pages.html(view=view_of(french))
    assert "Facture" not in document_pages.html(view=view_of(english))


def test_the_title_where_the_law_asks_for_one() -> None:
    entity = factory.seller(country="AU")
    assert view_of(factory.finalized(factory.buyer(entity), [FEE], locale="en")).title == "Tax invoice"


@pytest.mark.parametrize("color", ["", "red", "#fff; } body { display: none", "#12345", "javascript:1"])
def test_a_colour_that_is_none_is_not_used(color: str) -> None:
    entity = factory.seller(accent_color=color[:7])
    invoice = factory.finalized(factory.buyer(entity), [FEE])
    assert view_of(invoice).accent == "#4f46e5"


def test_whatever_people_typed_is_text() -> None:
    attack = "<script>alert(1)</script>"
    entity = factory.seller(legal_name=attack, invoice_footer=attack, bank_name=attack, logo=f"<svg>{attack}</svg>")
    customer = factory.buyer(entity, legal_name=attack, address_line1=attack, metadata={attack: attack})
    row = LineRow(attack, "1.00", group=attack, description=attack)
    invoice = factory.finalized(customer, [row], purchase_order_number=attack, rates={"vat": (attack, "0.19")})
    html = document_pages.html(view=view_of(invoice), for_screen=True)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 8


def test_a_logo_is_cleaned_and_sized() -> None:
    logo = '<svg viewBox="0 0 120 40" onload="alert(1)"><script>alert(1)</script><rect width="5" height="5"/></svg>'
    view = view_of(factory.finalized(factory.buyer(factory.seller(logo=logo)), [FEE]))
    assert "alert" not in view.logo
    assert view.logo_size == ("45.0mm", "15.0mm")
    html = document_pages.html(view=view)
    assert 'style="width: 45.0mm; height: 15.0mm"' in html
    assert 'class="wordmark"' not in html


def test_no_logo_shows_the_name() -> None:
    view = view_of(factory.finalized(factory.buyer(factory.seller(logo="<html/>")), [FEE]))
    assert view.logo == ""
    assert 'class="wordmark"' in document_pages.html(view=view)


def test_a_draft_without_lines_can_be_shown() -> None:
    view = document_views.of(invoice=factory.draft(factory.buyer(factory.seller()), [], rates={}))
    assert view.groups == ()
    assert view.is_draft
    assert "Leistungszeitraum" not in facts(view)


def test_credits_stand_between_total_and_amount_due() -> None:
    customer = factory.buyer(factory.seller())
    given = factory.finalized(customer, [LineRow("Fee", "100.00")], rates={})
    note = credit_notes.create(
        invoice_id=given.pk,
        amounts={given.lines.get().pk: Money("12.34", "EUR")},
        reason="other",
        actor=make.ACTOR,
        at=factory.AT,
    )
    draft = factory.draft(customer, [LineRow("Fee", "50.00")], rates={})
    invoices.finalize(invoice_id=draft.pk, actor=make.ACTOR, at=factory.AT)

    view = view_of(Invoice.objects.get(pk=draft.pk))

    assert plain(view.total) == "50,00 €"
    assert [(fact.label, plain(fact.value)) for fact in view.credits] == [(f"Gutschrift {note.number}", "-12,34 €")]
    assert plain(view.amount_due) == "37,66 €"
    assert f"Gutschrift {note.number}" in document_pages.html(view=view)


def test_an_invoice_that_is_paid_later_keeps_asking_as_it_was_issued() -> None:
    invoice = factory.finalized(factory.buyer(factory.seller()), [LineRow("Fee", "10.00")], rates={})
    before = view_of(invoice)
    payments.record(
        invoice_id=invoice.pk,
        amount=Money("10.00", "EUR"),
        reference="transfer",
        paid_at=factory.AT,
        actor=make.ACTOR,
        at=factory.AT,
    )
    assert Invoice.objects.get(pk=invoice.pk).payment_status == "succeeded"
    assert view_of(invoice) == before
    assert not before.is_paid
    assert not before.is_nothing_due
    assert before.payment
