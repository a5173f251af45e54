"""Who sells and who buys: the organization with its billing entities, customers, and the coupons that they have. Owns
turning what Lago shows of them into what this API takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from config.importing import adopting
from config.importing.kinds import Journey, Kind, Row, by_code, codes, given
from config.importing.source import quoted
from config.platform.models import Installation
from config.platform.services import installation
from customers.models import AppliedCoupon, BillingEntity, Customer
from customers.services import applied_coupons
from customers.services.applied_coupons import OwnTerms

ADDRESS = ("address_line1", "address_line2", "city", "zipcode", "state", "country")
_SELLER = (
    *ADDRESS,
    *("default_currency", "email", "legal_name", "legal_number", "net_payment_term", "tax_identification_number"),
    *("timezone", "document_numbering", "finalize_zero_amount_invoice", "eu_tax_management", "email_settings"),
    "phone",
)
_ISSUING = tuple(f"subscription_invoice_issuing_date_{part}" for part in ("anchor", "adjustment"))
_TERMS = ("invoice_footer", "invoice_grace_period", "document_locale", *_ISSUING)
_HUNDRED = Decimal(100)
_KEPT = 12
"""Characters of a prefix that are kept where it has to be another one."""


def _sellers(journey: Journey) -> Iterator[Row]:
    """Billing entities, the default one first, with the taxes that only single answers show."""
    rows = sorted(journey.lago.rows("billing_entities"), key=lambda row: not row.get("is_default"))
    for row in rows:
        answer = journey.lago.find(f"billing_entities/{quoted(row['code'])}")
        yield row if answer is None else dict(answer["billing_entity"])


def _found_seller(journey: Journey, theirs: Row) -> Row | None:
    """The default one is there from the start: it is brought over by taking it over, once."""
    found = BillingEntity.objects.filter(uuid=theirs["lago_id"]).first()
    if found is None and theirs.get("is_default"):
        return None
    return journey.house.find(f"billing_entities/{theirs['code'] if found is None else found.code}", "billing_entity")


def _seller(journey: Journey, theirs: Row) -> Row:
    """Documents get a prefix of their own: two systems must not issue the same number."""
    values = given(theirs, "name", *_SELLER)
    values["billing_configuration"] = given(theirs, *_TERMS)
    values["tax_codes"] = _known_taxes(journey, theirs)
    if theirs.get("is_default"):
        default = BillingEntity.objects.get(is_default=True)
        values["code"] = theirs["code"]
        answer = journey.house.ask("PUT", f"billing_entities/{default.code}", {"billing_entity": values})
        _organization(journey)
    else:
        answer = journey.house.ask("POST", "billing_entities", {"billing_entity": {**values, "code": theirs["code"]}})
    made = adopting.adopt_as("billing_entity", answer["billing_entity"], theirs)
    prefix = theirs.get("document_number_prefix")
    if made["document_number_prefix"] == prefix:
        other = {"billing_entity": {"document_number_prefix": f"{prefix[:_KEPT]}-Q"}}
        made = dict(journey.house.ask("PUT", f"billing_entities/{made['code']}", other)["billing_entity"])
    journey.remark(f"its documents are numbered with {made['document_number_prefix']} here, not with {prefix}")
    return made


def _known_taxes(journey: Journey, theirs: Row) -> list[str]:
    """Taxes come after the sellers: those of the default seller are the ones that say so themselves."""
    return [code for code in codes(theirs.get("taxes")) if journey.house.find(f"taxes/{code}", "tax") is not None]


def _organization(journey: Journey) -> None:
    """Take over the name and the id of the organization, which webhooks carry."""
    answer = journey.lago.find("organizations")
    if answer is None:
        return
    theirs = answer["organization"]
    installation.rename(name=theirs["name"], actor=journey.house.actor, at=journey.at)
    adopting.adopt(Installation.objects.all(), theirs.get("lago_id"))


def _customers(journey: Journey) -> Iterator[Row]:
    return journey.lago.rows("customers")


def _found_customer(journey: Journey, theirs: Row) -> Row | None:
    if adopting.is_known(Customer, theirs.get("lago_id")):
        return journey.house.find(f"customers/{theirs['external_id']}", "customer") or {}
    return journey.house.find(f"customers/{theirs['external_id']}", "customer")


def _customer(journey: Journey, theirs: Row) -> Row:
    """Ways to pay and links to other programs stay where they are: the report says so."""
    values = given(
        theirs,
        *("external_id", "account_type", "billing_entity_code", "name", "firstname", "lastname", "customer_type"),
        *(*ADDRESS, "email", "url", "phone", "logo_url", "legal_name", "legal_number", "tax_identification_number"),
        *("currency", "timezone", "net_payment_term", "external_salesforce_id", "finalize_zero_amount_invoice"),
        "skip_invoice_custom_sections",
    )
    values["billing_configuration"] = given(
        theirs.get("billing_configuration") or {}, "invoice_grace_period", "document_locale", *_ISSUING
    )
    values["shipping_address"] = given(theirs.get("shipping_address") or {}, *ADDRESS)
    values["metadata"] = [given(one, "key", "value", "display_in_invoice") for one in theirs.get("metadata") or ()]
    if theirs.get("taxes"):
        values["tax_codes"] = codes(theirs["taxes"])
    journey.house.make("customers", "customer", values)
    adopting.adopt(
        Customer.objects.filter(external_id=theirs["external_id"], deleted_at__isnull=True), theirs.get("lago_id")
    )
    adopting.adopt_notes(theirs)
    return dict(journey.house.ask("GET", f"customers/{theirs['external_id']}")["customer"])


def _applied_coupons(journey: Journey) -> Iterator[Row]:
    return journey.lago.rows("applied_coupons", status="active")


def _found_applied(journey: Journey, theirs: Row) -> Row | None:
    """One that was brought over is known by its id, used up since or not."""
    if not adopting.is_known(AppliedCoupon, theirs.get("lago_id")):
        return None
    return {}


def _applied(journey: Journey, theirs: Row) -> Row:
    """Give the customer what is left of it, as its own terms: the rest of an amount, or of the invoices."""
    invoices = theirs.get("frequency_duration_remaining")
    terms: OwnTerms = {
        "frequency": theirs["frequency"],
        "frequency_duration": theirs.get("frequency_duration") if invoices is None else invoices,
    }
    if theirs.get("percentage_rate") is not None:
        terms["rate"] = Decimal(str(theirs["percentage_rate"])) / _HUNDRED
    else:
        left = theirs.get("amount_cents_remaining")
        terms["amount_cents"] = int(theirs["amount_cents"] if left is None else left)
        terms["amount_currency"] = theirs["amount_currency"]
    made = applied_coupons.apply(
        external_customer_id=theirs["external_customer_id"],
        coupon_code=theirs["coupon_code"],
        terms=terms,
        actor=journey.house.actor,
        at=journey.at,
        public_id=UUID(theirs["lago_id"]),
    )
    rows = journey.house.ask("GET", f"customers/{theirs['external_customer_id']}/applied_coupons")["applied_coupons"]
    return next(dict(row) for row in rows if row["lago_id"] == str(made.uuid))


def _label_applied(row: Row) -> str:
    return f"{row['coupon_code']} of {row['external_customer_id']}"


def _label_customer(row: Row) -> str:
    return str(row["external_id"])


SELLERS = Kind(
    "billing_entities",
    _sellers,
    by_code,
    _found_seller,
    _seller,
    but=("is_default", "selected_invoice_custom_sections"),
)
CUSTOMERS = Kind("customers", _customers, _label_customer, _found_customer, _customer)
APPLIED_COUPONS = Kind(
    "applied_coupons",
    _applied_coupons,
    _label_applied,
    _found_applied,
    _applied,
    but=("credits", "expiration_at", "amount_cents", "frequency_duration"),
)
