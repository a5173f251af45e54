"""What a customer's page says before anything else: who it is, on which terms, its taxes, how it is reached.

Owns this app's part and the order of the headings; figures of money and contracts come from the apps above.
"""

from __future__ import annotations

from datetime import date

from django.utils.html import format_html

from config.kernel import registry
from config.platform.admin import cells, glance
from config.platform.admin.blocks import Fact
from config.platform.admin.cells import Tone
from config.platform.admin.glance import Glance, Part
from customers.admin import choices, vat_checks
from customers.models import Customer, TaxExemption

NAME = "customers.customer.glance"


def of(customer: Customer, *, today: date) -> Glance:
    """Return the whole, with what the apps above have registered. One query of this app's own."""
    own = Part(
        badges=_badges(customer, today),
        facts={
            "Terms": _terms(customer),
            "Taxes": _taxes(customer, today),
            "Contact": _contact(customer),
            "Paying": [],
        },
    )
    others = glance.registered(registry.panels(NAME, customer))
    return glance.whole(name=customer.display_name, about=_about(customer), own=own, others=others)


def exemption(customer: Customer) -> TaxExemption | None:
    """The exemption of a customer, over or not."""
    found: TaxExemption | None = getattr(customer, "tax_exemption", None)
    return found


def _badges(customer: Customer, today: date) -> tuple[object, ...]:
    retired = customer.deleted_at is not None
    found: list[object] = [cells.badge("retired") if retired else cells.badge("active", Tone.GOOD)]
    if customer.awaits_tax_decision:
        found.append(cells.badge("invoices wait for a tax check", Tone.WARN))
    row = exemption(customer)
    if row is not None and (row.valid_until is None or row.valid_until >= today):
        found.append(cells.badge("exempt from tax", Tone.INFO))
    return tuple(found)


def _about(customer: Customer) -> tuple[object, ...]:
    found: list[object] = [cells.to(customer.billing_entity), customer.currency or "no currency yet"]
    if customer.display_name != customer.external_id:
        found.append(cells.code(customer.external_id))
    found += [customer.slug, f"since {cells.day_of(customer.created_at)}"]
    return tuple(found)


def _terms(customer: Customer) -> list[Fact]:
    is_own = customer.net_payment_term is not None
    days = customer.applicable_net_payment_term
    term = "at once" if days == 0 else f"{days} day{'' if days == 1 else 's'}"
    return [Fact("Payment term", term if is_own else cells.stack(term, "as the billing entity"))]


def _taxes(customer: Customer, today: date) -> list[Fact]:
    names = dict(choices.countries())
    own = ", ".join(str(tax) for tax in customer.taxes.all())
    check = customer.vat_check
    number: object = customer.tax_identification_number or cells.muted("none")
    if customer.tax_identification_number:
        told = vat_checks.status(check) if check is not None else cells.badge("not checked")
        number = format_html("{} {}", number, cells.link(told, cells.page_url(check)) if check is not None else told)
    return [
        Fact("Country", names.get(customer.country, customer.country) if customer.country else cells.muted("unknown")),
        Fact("VAT id", number),
        Fact("Exemption", _exempt(customer, today)),
        Fact("Taxes", own or cells.muted("as the billing entity")),
    ]


def _exempt(customer: Customer, today: date) -> object:
    row = exemption(customer)
    if row is None:
        return cells.muted("none")
    if row.valid_until is None:
        return cells.stack(row.get_reason_display(), "for good")
    over = "ended on" if row.valid_until < today else "until"
    return cells.stack(row.get_reason_display(), f"{over} {cells.day_text(row.valid_until)}")


def _contact(customer: Customer) -> list[Fact]:
    person = f"{customer.firstname} {customer.lastname}".strip()
    addresses = [part.strip() for part in customer.email.split(",") if part.strip()]
    more = len(addresses) - 1
    mail: object = cells.badge("no address: nothing can be sent", Tone.WARN)
    if addresses:
        name, at, domain = addresses[0].partition("@")
        mail = cells.stack(format_html("{}{}<wbr>{}", name, at, domain), f"and {more} more" if more else "")
    found = [Fact("E-mail", mail)]
    if person and person != customer.display_name:
        found.append(Fact("Person", person))
    if customer.phone:
        found.append(Fact("Phone", customer.phone))
    place = " ".join(part for part in (customer.zipcode, customer.city) if part)
    if place:
        found.append(Fact("Place", place))
    return found
