"""Customers from a table, by their external id. Owns the columns and what a row changes; writing is `customers`'."""

from __future__ import annotations

import re
from typing import Any

from catalog.models import Tax
from config.kernel import money
from config.platform.services import import_kinds
from config.platform.services.import_cells import CellKind
from config.platform.services.import_kinds import Effect, ImportColumn, ImportKind, Task
from customers.domain import tax_ids
from customers.models import Customer
from customers.services import customers
from customers.services.customers import ADDRESS, CustomerValues

_ADDRESS_LABELS = {
    "address_line1": "Street",
    "address_line2": "Address line 2",
    "zipcode": "Zip code",
    "city": "City",
    "state": "State",
    "country": "Country",
}
_SYNONYMS = {
    "address_line1": ("address", "address 1", "street and number"),
    "zipcode": ("zip", "postcode", "postal code"),
    "state": ("region", "province"),
    "country": ("country code",),
}
_SHIPPING = "shipping_"
_SEPARATED = re.compile(r"[,;|\s]+")


def _address(prefix: str = "", label: str = "{}") -> tuple[ImportColumn, ...]:
    return tuple(
        ImportColumn(
            name=f"{prefix}{name}",
            label=label.format(text).capitalize() if prefix else text,
            synonyms=() if prefix else _SYNONYMS.get(name, ()),
            most={"zipcode": 32, "country": 2}.get(name, 255),
            help="ISO 3166-1 alpha-2, such as DE." if name == "country" else "",
        )
        for name, text in _ADDRESS_LABELS.items()
    )


COLUMNS = (
    ImportColumn(
        "external_id",
        "External id",
        synonyms=("id", "customer id", "customer number", "customer no", "external customer id"),
        is_needed=True,
        help="Your own id of the customer: the row changes the one that has it, or makes it.",
    ),
    ImportColumn("name", "Name", synonyms=("company", "company name", "customer", "customer name")),
    ImportColumn("firstname", "First name", synonyms=("given name",)),
    ImportColumn("lastname", "Last name", synonyms=("surname", "family name")),
    ImportColumn("customer_type", "Type", synonyms=("customer type",), help="company or individual"),
    ImportColumn("legal_name", "Legal name"),
    ImportColumn("legal_number", "Register number", synonyms=("registration number",)),
    ImportColumn(
        "tax_identification_number",
        "VAT id",
        synonyms=("vat number", "vat", "tax id", "tax number", "vat identification number"),
        most=64,
    ),
    ImportColumn("email", "E-mail", synonyms=("mail", "e-mail address", "billing e-mail"), most=1024),
    ImportColumn("phone", "Phone", synonyms=("telephone", "phone number")),
    ImportColumn("url", "Website", synonyms=("web", "homepage")),
    *_address(),
    *_address(_SHIPPING, "Shipping {}"),
    ImportColumn("billing_entity_code", "Billing entity", synonyms=("seller", "entity"), help="Its code."),
    ImportColumn("currency", "Currency", help="ISO 4217, such as EUR."),
    ImportColumn("timezone", "Time zone", most=64, help="Such as Europe/Berlin."),
    ImportColumn("document_locale", "Language", synonyms=("language of documents", "locale"), most=8),
    ImportColumn(
        "net_payment_term", "Payment term (days)", CellKind.WHOLE, synonyms=("payment term", "net days", "terms")
    ),
    ImportColumn("invoice_grace_period", "Grace period (days)", CellKind.WHOLE, synonyms=("grace period",)),
    ImportColumn(
        "tax_codes", "Taxes", synonyms=("tax", "tax code"), help="Codes of taxes with commas between; replaces all."
    ),
    ImportColumn("external_salesforce_id", "Salesforce id"),
)
_LABELS = {column.name: column.label for column in COLUMNS}


def apply(task: Task) -> Effect:
    """Make or change the customer of a row; what is empty stays as it is. The same row again changes nothing.

    Raises what `customers.upsert` raises, and RowRefused.
    """
    (row,) = task.rows
    external_id = row["external_id"]
    found = Customer.objects.filter(external_id=external_id, deleted_at__isnull=True).first()
    values = _values(row, found)
    before = {} if found is None else _shown(found, values)
    customer = customers.upsert(values=values, actor=task.actor, at=task.at)
    doubts = _doubts(customer, values)
    if found is None:
        new = _shown(customer, values)
        changes = tuple((_label(name), "", text) for name, text in new.items())
        return Effect(customer, is_new=True, changes=changes, warnings=doubts)
    after = _shown(customer, values)
    changed = [name for name in after if after[name] != before[name]]
    return Effect(
        customer, changes=tuple((_label(name), before[name], after[name]) for name in changed), warnings=doubts
    )


def _doubts(customer: Customer, values: CustomerValues) -> tuple[str, ...]:
    """What looks wrong about the VAT id of a row, and is taken all the same."""
    if "tax_identification_number" not in values:
        return ()
    doubt = tax_ids.warning(number=customer.tax_identification_number, country=customer.country)
    return (f"{customer.tax_identification_number}: {doubt}",) if doubt else ()


def _values(row: import_kinds.Values, found: Customer | None) -> CustomerValues:
    content: dict[str, Any] = {name: value for name, value in row.items() if not name.startswith(_SHIPPING)}
    for name in ("currency", "country"):
        if name in content:
            content[name] = content[name].upper()
    if "currency" in content and not money.known(content["currency"]):
        words = f"{row['currency'][:40]} is not a currency: ISO 4217 such as EUR."
        raise import_kinds.refused("currency", words)
    if "customer_type" in content:
        content["customer_type"] = _kind(content["customer_type"])
    if "tax_codes" in content:
        content["tax_codes"] = _taxes(content["tax_codes"])
    sent = {name: row[f"{_SHIPPING}{name}"] for name in ADDRESS if f"{_SHIPPING}{name}" in row}
    if "country" in sent:
        sent["country"] = sent["country"].upper()
    if sent:
        content["shipping_address"] = {**(found.shipping_address if found else {}), **sent}
    return CustomerValues(**content)  # type: ignore[typeddict-item]


def _kind(text: str) -> str:
    if text.lower() not in Customer.Kind.values:
        raise import_kinds.refused("customer_type", f"It is company or individual, not \u201c{text[:40]}\u201d.")
    return text.lower()


def _taxes(text: str) -> list[str]:
    codes = list(dict.fromkeys(code for code in _SEPARATED.split(text) if code))
    known = set(Tax.objects.filter(code__in=codes, deleted_at__isnull=True).values_list("code", flat=True))
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise import_kinds.refused("tax_codes", f"There is no tax {', '.join(unknown)}.")
    return codes


def _shown(customer: Customer, values: CustomerValues) -> dict[str, str]:
    """What a customer has of what a row says, for people."""
    found: dict[str, str] = {}
    for name in values:
        if name == "tax_codes":
            found[name] = ", ".join(sorted(tax.code for tax in customer.taxes.all()))
        elif name == "billing_entity_code":
            found[name] = customer.billing_entity.code
        elif name == "shipping_address":
            for part in ADDRESS:
                found[f"{_SHIPPING}{part}"] = str(customer.shipping_address.get(part, ""))
        else:
            value = getattr(customer, name)
            found[name] = "" if value is None else str(value)
    return found


def _label(name: str) -> str:
    return _LABELS.get(name, name)


KIND = ImportKind(
    code="customers",
    label="Customers",
    about="Makes customers, or changes those of the same external id. An empty cell leaves what there is.",
    permissions=("platform.import_customers", "customers.add_customer", "customers.change_customer"),
    columns=COLUMNS,
    key=("external_id",),
    apply=apply,
    samples=(
        {
            "external_id": "C-1001",
            "name": "Nordlicht Analytics GmbH",
            "email": "billing@nordlicht.example",
            "address_line1": "Speicherstraße 12",
            "zipcode": "20457",
            "city": "Hamburg",
            "country": "DE",
            "currency": "EUR",
            "net_payment_term": "14",
        },
    ),
)

import_kinds.register(KIND)
