"""Quotes to look at: finding them, and one frozen view of a version for everybody who shows it. Never writes.

The admin's page, the PDF and the customer's page show the same `QuoteView`. Its figures are those that were kept with
the version: of a draft as it was last changed, of all others as it was submitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from billing.domain import quote_snapshots, quote_terms
from billing.domain.quote_figures import ChangeFigures, PhaseTotals, Totals
from billing.domain.quote_terms import QuoteTerms
from billing.models import Contract, Order, OrderForm, Quote, QuoteApproval, QuoteVersion
from config.kernel import errors
from customers.models import BillingEntity, Customer

CHANGES = {
    "change_terms": "Other terms",
    "add_product": "Product added",
    "remove_product": "Product ends",
    "extend_term": "Longer term",
    "change_commitment": "Other commitment",
}
ADDRESS = ("address_line1", "address_line2", "zipcode", "city", "state", "country")


class QuoteNotFound(errors.NotFound):
    """There is no such quote, version, order form or order."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom it is for. Of a prospect what sales wrote down, with empty texts for what is not known yet."""

    name: str
    external_id: str
    legal_name: str
    tax_identification_number: str
    email: str
    address: tuple[str, ...]
    country: str
    is_prospect: bool


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A consent that is needed, or was given or refused."""

    id: int
    group_id: int
    group: str
    cause: str
    state: str
    decided_by: str
    decided_at: datetime | None
    remark: str


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version in the history of its quote."""

    id: int
    number: int
    state: str
    state_label: str
    recurring_amount: Decimal | None
    total_amount: Decimal | None
    discount_rate: Decimal
    created_at: datetime
    submitted_at: datetime | None
    sent_at: datetime | None
    decided_at: datetime | None
    void_reason: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change of an amendment: its figures, and the phase whose ``before`` and ``lines`` tell prices and units."""

    kind: str
    kind_label: str
    figures: ChangeFigures
    phases: tuple[PhaseTotals, ...]


@dataclass(frozen=True, slots=True)
class QuoteView:
    """All that a page or document shows of a version.

    ``totals`` is None for a draft that cannot be priced yet. ``seller`` and ``customer`` are rows for whoever needs
    their logo, language or texts; ``locale`` is the customer's language, else the seller's, else empty. Amounts of
    totals are in major units of ``currency``.
    """

    quote_id: int
    version_id: int
    number: str
    version_number: int
    kind: str
    kind_label: str
    name: str
    state: str
    state_label: str
    currency: str
    party: Party
    customer: Customer | None
    seller: BillingEntity
    contract: Contract | None
    owner_name: str
    owner_email: str
    locale: str
    timezone: str
    introduction: str
    valid_until: date | None
    void_reason: str
    terms: QuoteTerms
    terms_sha256: str
    totals: Totals | None
    changes: tuple[ChangeView, ...]
    approvals: tuple[ApprovalView, ...]
    versions: tuple[VersionView, ...]
    order_form: OrderForm | None
    order: Order | None
    created_at: datetime
    submitted_by: str
    submitted_at: datetime | None
    sent_at: datetime | None
    decided_at: datetime | None

    @property
    def is_final(self) -> bool:
        """Say whether it may be shown to the customer: it was approved, and nothing about it changes any more."""
        return self.state in ("approved", "sent", "accepted", "declined", "expired")


def found(
    *, kinds: tuple[str, ...] = (), states: tuple[str, ...] = (), external_customer_id: str = "", text: str = ""
) -> QuerySet[Quote]:
    """Return quotes, newest first, with customer, seller and versions; narrowed by what is given.

    ``states`` are of the newest version. ``text`` is looked for in number, name and customer.
    """
    rows = with_content(Quote.objects.all())
    if kinds:
        rows = rows.filter(kind__in=kinds)
    if states:
        newest = QuoteVersion.objects.order_by("quote_id", "-number").distinct("quote_id")
        rows = rows.filter(pk__in=QuoteVersion.objects.filter(pk__in=newest, state__in=states).values("quote"))
    if external_customer_id:
        rows = rows.filter(customer__external_id=external_customer_id)
    if text:
        rows = rows.filter(
            Q(number__icontains=text)
            | Q(name__icontains=text)
            | Q(customer__name__icontains=text)
            | Q(prospect__name__icontains=text)
        )
    return rows


def with_content(rows: QuerySet[Quote]) -> QuerySet[Quote]:
    """Fetch with quotes what lists and answers show of them, in two statements."""
    versions = QuoteVersion.objects.order_by("-number")
    return rows.select_related("customer", "billing_entity", "contract", "owner").prefetch_related(
        Prefetch("versions", queryset=versions)
    )


def find(*, key: str) -> Quote:
    """Return a quote by its number or public id. Raises QuoteNotFound (`quote_not_found`)."""
    row = with_content(Quote.objects.filter(_by(key))).first()
    if row is None:
        raise QuoteNotFound("quote_not_found", f"There is no quote {key}.")
    return row


def version_of(*, version_id: int) -> QuoteVersion:
    """Return a version with its quote. Raises QuoteNotFound (`quote_version_not_found`)."""
    row = versions().filter(pk=version_id).first()
    if row is None:
        raise QuoteNotFound("quote_version_not_found", "There is no such version of a quote.")
    return row


def versions() -> QuerySet[QuoteVersion]:
    """Return versions with what a view of them needs."""
    return QuoteVersion.objects.select_related(
        "quote__customer__billing_entity",
        "quote__billing_entity",
        "quote__contract",
        "quote__owner",
        "submitted_by",
        "order_form__order__contract",
        "order_form__order__invoice",
        "order_form__customer",
    )


def view(version: QuoteVersion) -> QuoteView:
    """Return all that is shown of a version. Three statements, whatever is in it: the version, approvals, history."""
    row = versions().get(pk=version.pk)
    quote = row.quote
    terms = quote_terms.read(row.terms)
    totals = quote_snapshots.read(row.figures)
    form = getattr(row, "order_form", None)
    customer = quote.customer
    approvals = row.approvals.select_related("group", "decided_by").order_by("pk")
    history = quote.versions.defer("terms", "figures", "introduction").order_by("-number")
    return QuoteView(
        quote_id=quote.pk,
        version_id=row.pk,
        number=quote.number,
        version_number=row.number,
        kind=quote.kind,
        kind_label=quote.get_kind_display(),
        name=quote.name,
        state=row.state,
        state_label=row.get_state_display(),
        currency=row.currency,
        party=party(quote),
        customer=customer,
        seller=quote.billing_entity,
        contract=quote.contract,
        owner_name=_person(quote.owner),
        owner_email="" if quote.owner is None else str(getattr(quote.owner, "email", "")),
        locale=_locale(quote),
        timezone=timezone_of(quote),
        introduction=row.introduction,
        valid_until=row.valid_until,
        void_reason=row.void_reason,
        terms=terms,
        terms_sha256=row.terms_sha256,
        totals=totals,
        changes=_changes(totals),
        approvals=tuple(_approval(one) for one in approvals),
        versions=tuple(_version(one) for one in history),
        order_form=form,
        order=None if form is None else getattr(form, "order", None),
        created_at=row.created_at,
        submitted_by=_person(row.submitted_by),
        submitted_at=row.submitted_at,
        sent_at=row.sent_at,
        decided_at=row.decided_at,
    )


def party(quote: Quote) -> Party:
    """Return whom a quote is for."""
    if quote.customer is not None:
        row = quote.customer
        return _party({field: getattr(row, field) for field in _PARTY}, row.external_id, is_prospect=False)
    return _party(quote.prospect, str(quote.prospect.get("external_id", "")), is_prospect=True)


def timezone_of(quote: Quote) -> str:
    """Return the time zone in which the days of a quote are counted: the customer's, else the seller's."""
    if quote.customer is not None:
        return quote.customer.applicable_timezone
    return str(quote.prospect.get("timezone") or "") or quote.billing_entity.timezone


def order_forms() -> QuerySet[OrderForm]:
    """Return order forms, newest first, with version, quote, customer and order."""
    rows = OrderForm.objects.select_related("version__quote__customer", "customer", "order")
    return rows.order_by("-created_at", "-pk")


def order_form(*, key: str) -> OrderForm:
    """Return an order form by its number or public id. Raises QuoteNotFound (`order_form_not_found`)."""
    row = order_forms().filter(_by(key)).first()
    if row is None:
        raise QuoteNotFound("order_form_not_found", f"There is no order form {key}.")
    return row


def orders() -> QuerySet[Order]:
    """Return orders, newest first, with order form, version, quote and what was made."""
    return Order.objects.select_related("order_form__version__quote", "customer", "contract", "invoice").order_by(
        "-created_at", "-pk"
    )


def order(*, key: str) -> Order:
    """Return an order by its number or public id. Raises QuoteNotFound (`order_not_found`)."""
    row = orders().filter(_by(key)).first()
    if row is None:
        raise QuoteNotFound("order_not_found", f"There is no order {key}.")
    return row


_PARTY = ("name", "legal_name", "tax_identification_number", "email", "firstname", "lastname", *ADDRESS)


def _by(key: str) -> Q:
    try:
        return Q(uuid=UUID(key))
    except ValueError:
        return Q(number=key)


def _party(values: Mapping[str, Any], external_id: str, *, is_prospect: bool) -> Party:
    text = {field: str(values.get(field) or "") for field in _PARTY}
    person = f"{text['firstname']} {text['lastname']}".strip()
    town = " ".join(one for one in (text["zipcode"], text["city"]) if one)
    lines = (text["address_line1"], text["address_line2"], town, text["state"])
    return Party(
        name=text["name"] or person or text["legal_name"] or external_id,
        external_id=external_id,
        legal_name=text["legal_name"],
        tax_identification_number=text["tax_identification_number"],
        email=text["email"],
        address=tuple(line for line in lines if line),
        country=text["country"],
        is_prospect=is_prospect,
    )


def _locale(quote: Quote) -> str:
    if quote.customer is not None and quote.customer.document_locale:
        return quote.customer.document_locale
    return str(quote.prospect.get("document_locale") or "") or quote.billing_entity.document_locale


def _changes(totals: Totals | None) -> tuple[ChangeView, ...]:
    if totals is None:
        return ()
    return tuple(
        ChangeView(one.kind, CHANGES[one.kind], one, tuple(row for row in totals.phases if row.item == one.number))
        for one in totals.changes
    )


def _approval(row: QuoteApproval) -> ApprovalView:
    return ApprovalView(
        id=row.pk,
        group_id=row.group_id,
        group=row.group.name,
        cause=row.cause,
        state=row.state,
        decided_by=_person(row.decided_by),
        decided_at=row.decided_at,
        remark=row.remark,
    )


def _version(row: QuoteVersion) -> VersionView:
    return VersionView(
        id=row.pk,
        number=row.number,
        state=row.state,
        state_label=row.get_state_display(),
        recurring_amount=None if row.recurring_amount is None else row.recurring_amount.amount,
        total_amount=None if row.total_amount is None else row.total_amount.amount,
        discount_rate=row.discount_rate,
        created_at=row.created_at,
        submitted_at=row.submitted_at,
        sent_at=row.sent_at,
        decided_at=row.decided_at,
        void_reason=row.void_reason,
    )


def _person(user: Any) -> str:
    return "" if user is None else str(user.get_full_name() or user.get_username())
