"""The text of whole invoices and e-mails in several languages, currencies and countries."""

import io
from collections.abc import Callable
from typing import Any

import pypdf
import pytest

from invoicing.models import Invoice
from invoicing.services import delivery_mail, document_views, documents
from tests.factories import documents as factory
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db

Golden = Callable[[str, str], None]

TIERS = {
    "graduated_ranges": [
        {
            "from_value": "0",
            "to_value": "10000",
            "units": "10000",
            "per_unit_amount": "0",
            "per_unit_total_amount": "0",
            "flat_unit_amount": "0",
        },
        {
            "from_value": "10001",
            "to_value": "100000",
            "units": "90000",
            "per_unit_amount": "0.00012",
            "per_unit_total_amount": "10.8",
            "flat_unit_amount": "0",
        },
        {
            "from_value": "100001",
            "to_value": None,
            "units": "1234567",
            "per_unit_amount": "0.00009",
            "per_unit_total_amount": "111.11103",
            "flat_unit_amount": "5",
        },
    ]
}
# 49.00 + (10.80 + 111.11103 + 5.00 → 126.91) + 745.06 + (500 × 0.10 + 10.00) + 3 × 5.00 = 995.97
USAGE = [
    LineRow("Base fee", "49.00", "1", "49"),
    LineRow("API requests", "126.91", "1334567", "0.000095094", charge_model="graduated", details=TIERS),
    LineRow("Egress (GB)", "745.06", "8765.4321", "0.085", charge_model="standard"),
    LineRow(
        "Storage (GB)",
        "60.00",
        "500",
        "0.12",
        charge_model="volume",
        details={"flat_unit_amount": "10", "per_unit_amount": "0.1", "per_unit_total_amount": "50"},
    ),
    LineRow(
        "E-mails",
        "15.00",
        "2850",
        "0.005454545454545",
        charge_model="package",
        details={
            "free_units": "100",
            "paid_units": "2750",
            "per_package_size": "1000",
            "per_package_unit_amount": "5",
        },
    ),
]
US_SELLER = {
    "code": "acme",
    "name": "Acme Cloud",
    "legal_name": "Acme Cloud, Inc.",
    "logo": "",
    "address_line1": "548 Market Street",
    "address_line2": "Suite 1200",
    "city": "San Francisco",
    "state": "CA",
    "zipcode": "94103",
    "country": "US",
    "tax_identification_number": "94-3451234",
    "legal_number": "",
    "iban": "000123456789",
    "bic": "121000358",
    "bank_name": "First Bank",
    "invoice_footer": "Thank you for your business.",
}
JP_SELLER = {
    "code": "sakura",
    "name": "Sakura Cloud",
    "legal_name": "Sakura Cloud K.K.",
    "logo": "",
    "address_line1": "1-1 Chiyoda",
    "city": "Chiyoda-ku",
    "state": "Tokyo",
    "zipcode": "100-0001",
    "country": "JP",
}


def lines_of(pdf: bytes) -> str:
    """The text of a PDF, page by page, every kind of space as a plain one."""
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    text = "\n--- page ---\n".join(pages)
    for space in ("\u00a0", "\u202f", "\u2009"):
        text = text.replace(space, " ")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def compare(golden: Golden, name: str, invoice: Invoice) -> None:
    golden(f"invoices/{name}.txt", lines_of(documents.preview_pdf(invoice_id=invoice.pk)))


@pytest.mark.parametrize("locale", ["de", "fr", "en", "es", "it", "nb", "pt-BR", "sv"])
def test_a_german_seller_in_every_language(golden: Golden, locale: str) -> None:
    customer = factory.buyer(factory.seller(), metadata={"Cost centre": "4711"})
    invoice = factory.finalized(customer, USAGE, locale=locale, purchase_order_number="PO-1")
    assert str(invoice.total_amount.amount) == "1185.20"  # 995.97 × 1.19 = 1,185.2043
    compare(golden, f"eur-{locale}", invoice)


def test_an_american_seller_without_tax(golden: Golden) -> None:
    customer = factory.buyer(factory.seller(**US_SELLER), country="US", state="OR", city="Springfield", zipcode="97477")
    compare(golden, "usd-en", factory.finalized(customer, USAGE, locale="en", currency="USD", rates={}))


def test_a_british_seller_with_two_rates(golden: Golden) -> None:
    entity = factory.seller(
        code="pennine", country="GB", city="Leeds", zipcode="LS1 4AP", iban="GB29NWBK60161331926819", logo=""
    )
    rows = [*USAGE, LineRow("Printed book", "20.00", "2", "10", tax_codes=("zero",))]
    rates = {"vat": ("VAT", "0.20"), "zero": ("VAT", "0")}
    invoice = factory.finalized(factory.buyer(entity), rows, locale="en", currency="GBP", rates=rates)
    compare(golden, "gbp-en", invoice)


def test_a_japanese_seller_without_decimals(golden: Golden) -> None:
    rows = [LineRow("Base fee", "12000", "1", "12000"), LineRow("Requests", "3456", "34560", "0.1")]
    invoice = factory.finalized(
        factory.buyer(factory.seller(**JP_SELLER)),
        rows,
        locale="en-US",
        currency="JPY",
        rates={"vat": ("Consumption tax", "0.10")},
    )
    compare(golden, "jpy-en", invoice)


def test_several_contracts_on_several_pages(golden: Golden) -> None:
    rows = [LineRow(f"Service {number}", "1.00", group=f"Contract {number // 4}") for number in range(48)]
    compare(golden, "pages-de", factory.finalized(factory.buyer(factory.seller()), rows))


def test_nothing_to_pay(golden: Golden) -> None:
    compare(golden, "zero-de", factory.finalized(factory.buyer(factory.seller()), [LineRow("Free", "0")], rates={}))


def test_a_draft(golden: Golden) -> None:
    compare(golden, "draft-fr", factory.draft(factory.buyer(factory.seller()), USAGE, locale="fr"))


@pytest.mark.parametrize("locale", ["de", "fr", "en", "es", "it", "nb", "pt-BR", "sv"])
def test_the_e_mail(golden: Golden, locale: str, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "billing@installation.example"
    invoice = factory.finalized(factory.buyer(factory.seller()), USAGE, locale=locale)
    mail = delivery_mail.message(
        view=document_views.of(invoice=invoice),
        recipients=["ap@customer.example"],
        reply_to="rechnung@nordlicht.example",
        message_id=delivery_mail.message_id(unique="unique"),
        attachment=("NOR-202606-001.pdf", b"%PDF"),
        at=factory.AT,
    )
    text = f"{mail.from_email}\n{mail.subject}\n{mail.extra_headers['Message-ID']}\n\n{mail.body}"
    golden(f"emails/{locale}.txt", text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " "))
