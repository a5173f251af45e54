"""The versions of a quote: changing a draft, submitting it, voiding it, and another version in its place.

Owns these verbs. A version that was submitted keeps its terms, with the plan versions and prices that they name; who
consents is `quote_approvals`', what the customer gets `order_forms`'.
"""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any

from django.db import transaction

from billing.domain import quote_completeness, quote_states, quote_terms
from billing.domain.quote_figures import Totals
from billing.domain.quote_states import VersionVerb
from billing.domain.quote_values import QuoteTerms
from billing.models import OrderForm, Quote, QuoteApproval, QuoteVersion
from billing.services import (
    quote_approval_rules,
    quote_drafts,
    quote_forms,
    quote_pins,
    quote_pricing,
    quote_rows,
    quotes,
    webhook_types,
)
from billing.services.contract_amendments import state_of
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

State = QuoteVersion.State
QuoteChanged = quotes.QuoteChanged


def seen_of(version: QuoteVersion) -> str:
    """Return what a person saw of a draft and its quote before changing them: another answer later is a conflict."""
    return f"{version.state}|{version.updated_at.isoformat()}|{quotes.seen_of(version.quote)}"


def calculate(*, quote: Quote, terms: QuoteTerms, at: datetime, currency: str = "") -> Totals:
    """Return what terms would come to for a quote, which may be unsaved. Writes nothing.

    Without a currency it is that of the quote's newest version. Raises InvalidTerms with the paths of what is wrong.
    """
    if not currency:
        newest = quote.versions.order_by("-number").values_list("currency", flat=True).first()
        currency = newest or quote.billing_entity.default_currency
    return quote_pricing.calculate(quote=quote, currency=currency, terms=terms, at=at)


def consents(*, quote: Quote, terms: QuoteTerms, totals: Totals) -> list[quote_approval_rules.Consent]:
    """Return the consents that terms would need, for an editor. Writes nothing; one query."""
    return quote_approval_rules.needed(quote=quote, terms=terms, totals=totals)


@transaction.atomic
@tellings.gathered
def change(
    *,
    version_id: int,
    terms: QuoteTerms,
    introduction: str,
    valid_until: date | None,
    seen: str | None = None,
    currency: str = "",
    actor: Actor,
    at: datetime,
) -> QuoteVersion:
    """Give a draft other terms and texts, all of them. It may be incomplete. The same again changes nothing.

    ``seen`` is `seen_of` the draft when it was looked at; None takes it as it is. Raises QuoteNotFound,
    InvalidQuoteState for what is no draft any more, QuoteChanged, Invalid for texts or a currency that cannot be.
    """
    version = quote_rows.locked_version(version_id)
    quote_states.version_after(state=version.state, verb=VersionVerb.CHANGE)
    quote_drafts.demand_text(introduction)
    old = _said(version)
    is_stale = seen is not None and seen != seen_of(version)
    if currency and currency != version.currency:
        _take_currency(version, currency)
    quote_drafts.keep(version=version, terms=terms, totals=quote_drafts.tried(version=version, terms=terms, at=at))
    version.introduction, version.valid_until = introduction, valid_until
    new = _said(version)
    changed = [name for name in new if old[name] != new[name]]
    if changed and is_stale:
        raise QuoteChanged("quote_changed", f"{version} was changed by somebody else. Look at it again.")
    if changed:
        version.updated_at, version.behind = at, quote_rows.behind(version.behind, actor)
    fields = ["currency", "introduction", "valid_until", "behind", "updated_at"]
    version.save(update_fields=[*quote_drafts.FIGURES, *fields])
    if changed:
        audit.record(
            actor=actor,
            at=at,
            verb="change",
            instance=version,
            old={name: old[name] for name in changed},
            new={name: new[name] for name in changed},
        )
        tellings.tell(webhook_types.QUOTE_UPDATED, version.quote, at=at)
    return version


@transaction.atomic
@tellings.gathered
def submit(*, version_id: int, actor: Actor, at: datetime) -> QuoteVersion:
    """Freeze the terms of a draft and ask for the consents that the rules want; without any it is approved at once.

    Plan versions and prices of add-ons are pinned as they are now, so that what was quoted is what is sold. Raises
    QuoteNotFound, InvalidQuoteState, InvalidTerms for what is missing or cannot be priced, InvalidQuote for a last day
    that is over or missing.
    """
    version = quote_rows.locked_version(version_id)
    quote = version.quote
    quote_states.version_after(state=version.state, verb=VersionVerb.SUBMIT)
    terms = quote_terms.read(version.terms)
    quote_completeness.demand(kind=quote.kind, terms=terms)
    _demand_valid_until(version, terms, at)
    terms = quote_pins.pinned(terms=terms, quote=quote, currency=version.currency, at=at)
    totals = quote_pricing.calculate(quote=quote, currency=version.currency, terms=terms, at=at)
    quote_pins.demand_sellable(quote=quote, terms=terms, currency=version.currency, actor=actor, at=at)
    quote_drafts.keep(version=version, terms=terms, totals=totals)
    version.terms_sha256 = quote_terms.digest(terms)
    version.contract_seen = "" if quote.contract is None else state_of(quote.contract)
    version.state, version.submitted_by_id = State.IN_APPROVAL, quote_rows.person_of(actor)
    version.behind = quote_rows.behind(version.behind, actor)
    version.submitted_at = version.updated_at = at
    fields = ["terms_sha256", "contract_seen", "state", "submitted_by", "behind", "submitted_at", "updated_at"]
    version.save(update_fields=[*quote_drafts.FIGURES, *fields])
    wanted = quote_approval_rules.needed(quote=quote, terms=terms, totals=totals)
    QuoteApproval.objects.bulk_create(
        QuoteApproval(created_at=at, version=version, rule_id=one.rule_id, group_id=one.group_id, cause=one.cause[:255])
        for one in wanted
    )
    audit.record(
        actor=actor,
        at=at,
        verb="submit",
        instance=version,
        old={"state": State.DRAFT},
        new={**quote_rows.facts(version), "approvals": [one.cause for one in wanted]},
    )
    if wanted:
        tellings.tell(webhook_types.QUOTE_SUBMITTED, quote, at=at)
    else:
        quote_forms.approve(version=version, actor=actor, at=at)
    return version


@transaction.atomic
@tellings.gathered
def approve_freely(*, version_id: int, actor: Actor, at: datetime) -> QuoteVersion:
    """Submit a draft that needs nobody's consent, so that it is approved; one that is approved stays so.

    For programs, which give no consents. Raises as `submit`, and NotAllowed (`quote_needs_approval`) where a person has
    to consent: then it stays a draft.
    """
    version = quote_rows.locked_version(version_id)
    if version.state == State.DRAFT:
        version = submit(version_id=version_id, actor=actor, at=at)
    if version.state == State.IN_APPROVAL:
        groups = ", ".join(sorted({str(row.group) for row in version.approvals.select_related("group")}))
        raise errors.NotAllowed("quote_needs_approval", f"This needs the consent of a person: {groups}.")
    if version.state != State.APPROVED:
        quote_states.version_after(state=version.state, verb=VersionVerb.APPROVE)
    return version


@transaction.atomic
@tellings.gathered
def clone(*, version_id: int, actor: Actor, at: datetime) -> QuoteVersion:
    """Make the next version of a quote, a draft with the same terms at today's prices; the current one is voided.

    Raises QuoteNotFound, NotAllowed (`quote_is_accepted`).
    """
    source = quote_rows.locked_version(version_id)
    quote = source.quote
    current = quote.versions.exclude(state__in=quote_states.OVER).first()
    if current is not None and current.state == State.ACCEPTED:
        raise errors.NotAllowed("quote_is_accepted", "The quote was accepted: amend the contract instead.")
    if current is not None:
        held = quote_rows.locked_version(current.pk)
        _void(held, "Another version took its place.", actor, at)
    version = quote_drafts.add(
        quote=quote,
        currency=source.currency,
        terms=quote_pins.loosened(quote_terms.read(source.terms)),
        introduction=source.introduction,
        valid_until=source.valid_until,
        behind=quote_rows.behind(itertools.chain.from_iterable(one.behind for one in quote.versions.all()), actor),
        at=at,
    )
    version.quote = quote
    new = {"version": version.number, "of_version": source.number}
    audit.record(actor=actor, at=at, verb="clone", instance=version, new=new)
    tellings.tell(webhook_types.QUOTE_UPDATED, quote, at=at)
    return version


@transaction.atomic
@tellings.gathered
def void(*, version_id: int, reason: str, actor: Actor, at: datetime) -> QuoteVersion:
    """Void a version that nobody accepted or declined: its order form and open approvals end with it.

    Raises QuoteNotFound, InvalidQuoteState, Invalid (`reason`) without one.
    """
    version = quote_rows.locked_version(version_id)
    if not reason.strip():
        raise errors.Invalid("validation_errors", "Say why.", {"reason": ["value_is_mandatory"]})
    return _void(version, reason, actor, at)


def _said(version: QuoteVersion) -> dict[str, Any]:
    """Return what a draft says, to tell what was changed of it."""
    return {
        "terms": version.terms,
        "currency": version.currency,
        "valid_until": version.valid_until,
        "introduction": version.introduction,
    }


def _void(version: QuoteVersion, reason: str, actor: Actor, at: datetime) -> QuoteVersion:
    return quote_forms.void(version=version, reason=reason, actor=actor, at=at)


def _take_currency(version: QuoteVersion, currency: str) -> None:
    """Let a draft be in another currency, where neither customer nor contract decides it."""
    quote = version.quote
    if quote.contract is not None or (quote.customer is not None and quote.customer.currency):
        raise errors.Invalid("validation_errors", "", {"currency": ["currencies_does_not_match"]})
    money.exponent(currency)
    version.currency = currency


def _demand_valid_until(version: QuoteVersion, terms: QuoteTerms, at: datetime) -> None:
    today = quote_rows.today(version.quote, at)
    if version.valid_until is None or version.valid_until < today:
        code = "value_is_mandatory" if version.valid_until is None else "invalid_date"
        raise errors.Invalid(
            "validation_errors", "Say until when the offer is valid, today or later.", {"valid_until": [code]}
        )
    contract = version.quote.contract
    renewed = contract if version.quote.kind == Quote.Kind.RENEWAL else None
    ends_on = None if renewed is None else renewed.ends_on
    quote_completeness.demand_days(terms=terms, valid_until=version.valid_until, ends_on=ends_on)


def order_form_of(version: QuoteVersion) -> OrderForm | None:
    """Return the order form of a version, if it was approved."""
    return OrderForm.objects.filter(version=version).first()
