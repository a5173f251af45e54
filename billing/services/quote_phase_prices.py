"""The prices of one phase of a quote: those of the price list, with own terms, and with the discount; and the own terms
that a contract is agreed on with.

Owns the step from the catalogue's price lists to `quote_prices`' values. What is computed here for a page is what is
agreed at execution. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.domain.quote_prices import MONTHLY, FilterPrices, PlanPrices, UnitPrices, UsagePrices
from billing.domain.quote_values import InvalidTerms, QuotePhase
from billing.domain.uplifts import Scope
from billing.services import contract_drafts, contract_prices
from billing.services.contract_phases import Terms
from catalog.models import PlanVersion, PricingUnit
from catalog.queries import plans
from catalog.services import own_terms_input, price_lists, private_terms
from catalog.services.price_lists import PriceList
from config.kernel import errors, money

_OWN = "plan_overrides"


@dataclass(frozen=True, slots=True)
class PhasePrices:
    """A phase with its plan version, its prices at three stages, and its own terms as a contract's phase keeps them.

    ``listed`` are the prices that are on sale now, even where another version is meant.
    """

    version: PlanVersion
    listed: PlanPrices
    agreed: PlanPrices
    quoted: PlanPrices
    overrides: Mapping[str, Any]


class Shelf:
    """Price lists that were fetched already: a quote of many products fetches each of them once."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int | None], PlanVersion] = {}
        self._contents: dict[int, PlanVersion] = {}

    def version(self, code: str, number: int | None = None) -> PlanVersion:
        """Return what is on sale under a plan's code, or its version of a number. Raises NotFound."""
        if (code, number) not in self._versions:
            self._versions[code, number] = contract_drafts.version_of(code, number)
        return self._versions[code, number]

    def content(self, version: PlanVersion) -> PlanVersion:
        """Return a version with all that its price list holds."""
        if version.pk not in self._contents:
            self._contents[version.pk] = content_of(version)
        return self._contents[version.pk]


@contextmanager
def under(path: str) -> Iterator[None]:
    """Put the path of a row before the fields of what is refused inside; what does not exist is refused as input.

    Raises InvalidTerms.
    """
    try:
        yield
    except (errors.Invalid, errors.NotFound, errors.Forbidden) as error:
        fields = {_field(name): codes for name, codes in error.details.items()} or {"": [error.code]}
        details = {f"{path}.{name}".rstrip("."): codes for name, codes in fields.items()}
        raise InvalidTerms("validation_errors", error.message, details) from error


def of(
    *, phase: QuotePhase, currency: str, at: datetime, running: Terms | None = None, shelf: Shelf | None = None
) -> PhasePrices:
    """Return the prices of a phase. ``running`` are the terms that a contract has now, on top of which it is agreed.

    A few queries for each price list that is not on the ``shelf`` yet. Raises NotFound (plan, version, charge), Invalid
    with paths, `currencies_does_not_match`.
    """
    shelf = shelf or Shelf()
    keeps = running is not None and (not phase.plan_code or phase.plan_code == running.version.plan.code)
    if running is not None and keeps:
        version = shelf.content(running.version)
        before: Mapping[str, Any] = running.overrides
    else:
        with under("plan_code"):
            version = shelf.content(shelf.version(phase.plan_code, phase.plan_version))
        before = {}
    if version.currency != currency:
        raise errors.Invalid(
            "currencies_does_not_match",
            f"The plan {version.plan.code} is in {version.currency}, the quote in {currency}.",
            {"plan_code": ["currencies_does_not_match"]},
        )
    content = price_lists.read(version)
    asked = contract_prices.with_units(terms=phase.overrides, units=phase.units)
    agreed, kept = _with(content, _joined(version, before, asked, at), at)
    quoted, overrides = _discounted(agreed, kept, phase.discount_rate, phase.discount_scope, at)
    units = {charge.code: charge.units for charge in agreed.fixed_charges}
    known = {code: units[code] for code in units if code in {charge.code for charge in content.fixed_charges}}
    listed, _ = _with(content, contract_prices.with_units(terms={}, units=known), at)
    return PhasePrices(
        version=version,
        listed=_prices(version, listed)
        if running is not None
        else _on_sale(phase, _prices(version, listed), at, shelf),
        agreed=_prices(version, agreed),
        quoted=_prices(version, quoted),
        overrides=overrides,
    )


def _on_sale(phase: QuotePhase, listed: PlanPrices, at: datetime, shelf: Shelf) -> PlanPrices:
    """Return the prices that are on sale: what an earlier version asked for is no list price any more."""
    current = shelf.version(phase.plan_code)
    if current.number == listed.version:
        return listed
    version = shelf.content(current)
    content = price_lists.read(version)
    codes = {charge.code for charge in content.fixed_charges}
    units = {charge.code: charge.units for charge in listed.fixed if charge.code in codes}
    try:
        now, _ = _with(content, contract_prices.with_units(terms={}, units=units), at)
    except errors.DomainError:  # what is on sale now cannot be sold in these numbers
        return listed
    found = _prices(version, now)
    # Prices of another interval or currency cannot be held against these.
    return found if (found.interval, found.currency) == (listed.interval, listed.currency) else listed


def running(terms: Terms, *, at: datetime) -> PlanPrices:
    """Return the prices that a phase of a contract has now."""
    version = content_of(terms.version)
    content, _ = _with(price_lists.read(version), terms.overrides, at)
    return _prices(version, content)


def content_of(version: PlanVersion) -> PlanVersion:
    """Return a version with all that its price list holds."""
    return plans.with_content(PlanVersion.objects.all()).get(pk=version.pk)


def _field(name: str) -> str:
    own = f"{_OWN}."
    return name.replace(own, "overrides.", 1) if name.startswith(own) else name


def _joined(
    version: PlanVersion, before: Mapping[str, Any], asked: Mapping[str, Any], at: datetime
) -> Mapping[str, Any]:
    if not before:
        return asked
    merged = private_terms.merged(before, contract_prices.agreed(version=version, terms=asked, at=at))
    return {name: value for name, value in merged.items() if value or name not in private_terms.ROWS}


def _with(content: PriceList, terms: Mapping[str, Any], at: datetime) -> tuple[PriceList, dict[str, Any]]:
    if not terms:
        return content, {}
    unknown = [name for name in terms if name not in own_terms_input.OwnTerms.__annotations__]
    if unknown:
        raise errors.Invalid(
            "unsupported_value",
            f"A phase cannot agree on {', '.join(unknown)}.",
            {f"{_OWN}.{name}": ["unsupported_value"] for name in unknown},
        )
    try:
        return own_terms_input.agreed(before=content, terms=contract_prices.typed(terms), at=at)
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
        # Own terms come from outside as JSON: what is no row or no figure is refused, wherever that shows.
        message = "The own terms cannot be read."
        raise errors.Invalid("invalid_value", message, {_OWN: ["invalid_value"]}) from error


def _discounted(
    content: PriceList, kept: dict[str, Any], rate: Decimal, scope: str, at: datetime
) -> tuple[PriceList, dict[str, Any]]:
    clean = {name: value for name, value in kept.items() if value or name not in private_terms.ROWS}
    if not rate:
        return content, clean
    asked = contract_prices.raised(content=content, rate=-rate, scope=Scope(scope))
    after, lower = _with(content, asked, at)
    merged = private_terms.merged(clean, lower)
    return after, {name: value for name, value in merged.items() if value or name not in private_terms.ROWS}


def _prices(version: PlanVersion, content: PriceList) -> PlanPrices:
    currency = content.amount.currency.code
    metrics = {charge.metric_id: charge.metric.name for charge in version.charges.all()}
    add_ons = {charge.add_on_id: charge.add_on.name for charge in version.fixed_charges.all()}
    in_units = {charge.pricing_unit_id for charge in content.charges if charge.pricing_unit_id is not None}
    units = PricingUnit.objects.in_bulk(in_units) if in_units else {}
    is_long = content.interval in ("semiannual", "yearly")
    least = content.minimum_commitment
    return PlanPrices(
        plan_code=version.plan.code,
        plan_name=version.plan.invoice_display_name or version.plan.name,
        version=version.number,
        currency=currency,
        interval=content.interval,
        fee=content.amount.amount,
        pay_in_advance=content.pay_in_advance,
        trial_days=content.trial_period,
        minimum=Decimal(0) if least is None else money.from_minor(least.amount_cents, currency).amount,
        fixed=tuple(
            UnitPrices(
                key=str(charge.key),
                code=charge.code,
                name=charge.invoice_display_name or add_ons.get(charge.add_on_id, charge.code),
                units=charge.units,
                model=charge.charge_model,
                properties=charge.properties,
                interval=MONTHLY if is_long and content.bill_fixed_charges_monthly else content.interval,
            )
            for charge in content.fixed_charges
        ),
        usage=tuple(
            UsagePrices(
                key=str(charge.key),
                code=charge.code,
                name=charge.invoice_display_name or metrics.get(charge.metric_id, charge.code),
                metric_name=metrics.get(charge.metric_id, charge.code),
                model=charge.charge_model,
                properties=charge.properties,
                interval=MONTHLY if is_long and content.bill_charges_monthly else content.interval,
                minimum=money.from_minor(charge.min_amount_cents, currency).amount,
                filters=tuple(
                    FilterPrices(
                        values={name: tuple(chosen) for name, chosen in part.values.items()},
                        properties=part.properties,
                        name=part.invoice_display_name,
                    )
                    for part in charge.filters
                ),
                unit="" if charge.pricing_unit_id is None else units[charge.pricing_unit_id].short_name,
                unit_rate=charge.conversion_rate or Decimal(0),
            )
            for charge in content.charges
        ),
        tax_inclusive=content.tax_inclusive,
    )
