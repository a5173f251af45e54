"""Makers of quotes, through the services: a draft, one that the customer can answer, people who sell and approve."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, Permission, User

from billing.domain import quote_terms
from billing.models import OrderForm, Quote, QuoteApprovalRule, QuoteVersion
from billing.services import order_forms, quote_approval_rules, quote_versions, quotes
from billing.services.order_forms import Signer
from billing.services.quote_approval_rules import RuleValues
from billing.services.quotes import NewQuote
from config.kernel.actors import Actor
from customers.models import Customer
from tests.factories.billing import instant

SIGNER = Signer(name="Ada King", title="Head of IT", email="ada@example.com", address="203.0.113.7", client="Firefox")
SHA = "a" * 64


def person(name: str = "sam", *, groups: tuple[str, ...] = (), rights: tuple[str, ...] = ()) -> User:
    """Make a person of the house who is in groups and has rights by codename."""
    user = User.objects.create_user(name, f"{name}@example.com", "secret", is_staff=True)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


def actor(user: User) -> Actor:
    """Return a person as the one who acts."""
    return Actor(kind="user", label=user.username, user_id=user.pk)


def rule(
    threshold: str, group: str = "Heads", *, subject: str = "discount_rate", currency: str = ""
) -> QuoteApprovalRule:
    """Make an approval rule: above the threshold somebody of the group has to consent."""
    values = RuleValues(
        name=f"{subject} above {threshold}",
        subject=subject,
        threshold=Decimal(threshold),
        group_id=Group.objects.get_or_create(name=group)[0].pk,
        currency=currency,
    )
    return quote_approval_rules.create(
        values=values, actor=actor(person(f"maker{threshold}")), at=instant("2026-01-01")
    )


def terms(plan_code: str = "", **values: Any) -> dict[str, Any]:
    """Return the JSON of terms: twelve months of one product, "sub", unless told otherwise."""
    items = [{"external_id": "sub", "phases": [{"plan_code": plan_code}]}] if plan_code else []
    return {"term_months": 12 if plan_code else None, "items": items, **values}


def draft(
    customer: Customer | None, offered: Mapping[str, Any], *, by: User, at: str = "2026-01-01", **values: Any
) -> Quote:
    """Make a quote with a first version, valid for thirty days."""
    new = NewQuote(
        **{
            "kind": "new",
            "name": "Platform",
            "external_customer_id": "" if customer is None else customer.external_id,
            "terms": quote_terms.read(dict(offered)),
            "valid_until": date(2026, 1, 31),
            **values,
        }
    )
    return quotes.create(new=new, actor=actor(by), at=instant(at))


def version_of(quote: Quote) -> QuoteVersion:
    """Return the newest version of a quote."""
    return quote.versions.order_by("-number")[0]


def submit(quote: Quote, *, by: User, at: str = "2026-01-01") -> QuoteVersion:
    """Submit the newest version."""
    return quote_versions.submit(version_id=version_of(quote).pk, actor=actor(by), at=instant(at))


def form_of(quote: Quote) -> OrderForm:
    """Return the order form of the newest version, with a document as if it were rendered."""
    form = OrderForm.objects.get(version=version_of(quote))
    if not form.sha256:
        OrderForm.objects.filter(pk=form.pk).update(sha256=SHA, file="quotes/x.pdf", size=1)
        form.refresh_from_db()
    return form


def offered(
    customer: Customer | None, what: Mapping[str, Any], *, by: User, at: str = "2026-01-01", **values: Any
) -> OrderForm:
    """Make a quote that is approved at once, with its order form."""
    quote = draft(customer, what, by=by, at=at, **values)
    submit(quote, by=by, at=at)
    return form_of(quote)


def accept(form: OrderForm, at: str = "2026-01-01", **values: Any) -> OrderForm:
    """Accept an order form as the customer."""
    content: dict[str, Any] = {"signer": SIGNER, "document_sha256": form.sha256, **values}
    customer = Actor(kind="customer", label="Ada King", address="203.0.113.7")
    return order_forms.accept(order_form_id=form.pk, actor=customer, at=instant(at), **content)
