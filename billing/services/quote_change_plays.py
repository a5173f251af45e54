"""The changes of an amendment played on the products of a contract in memory, one after the other, as they are made.

Owns what is sold on which day after each of them, and from that the stretches whose prices are others than before. What
a day or a commitment was is told by `quote_change_prices`. Writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from billing.domain import quote_totals, ramps
from billing.domain.contract_terms import Span
from billing.domain.quote_figures import PricedPhase, Stretch
from billing.domain.quote_values import ChangeKind, QuoteChange
from billing.domain.ramps import Phase
from billing.models import Contract
from billing.services import contract_phases, contract_rows, quote_phase_prices
from billing.services.contract_phases import Terms
from billing.services.quote_phase_prices import PhasePrices, under
from config.kernel import dates, errors

_DAY = timedelta(days=1)
_NOWHERE = Stretch(0, 0, Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class _Made:
    """What a change makes: the stretch is filled in once all changes are played."""

    number: int
    place: int
    priced: PricedPhase


@dataclass(frozen=True, slots=True)
class _Sold:
    """The terms of some days, and the change that they come from, if one of these did."""

    terms: Terms
    made: _Made | None = None


@dataclass(slots=True)
class _Product:
    external_id: str
    name: str
    last: date
    phases: list[Phase[_Sold]]
    is_new: bool = False


class Play:
    """A contract while its changes are played: the last day of its term, and what its products cost on which days."""

    def __init__(self, contract: Contract, products: dict[str, _Product]) -> None:
        self.last = contract.ends_on
        self._currency = contract.currency
        self._products = products
        self._done: list[tuple[_Made, Span]] = []

    def sell(self, number: int, change: QuoteChange, kind: ChangeKind, day: date, at: datetime) -> None:
        """Play a product that is added, taken away, or gets other terms. Raises Invalid, with paths of its phases."""
        if kind is ChangeKind.ADD_PRODUCT:
            self._add(number, change, day, at)
            return
        product = self._products.get(change.external_id)
        if product is None:
            raise _refused(
                "external_id", "contract_item_not_found", f"The contract does not sell {change.external_id}."
            )
        running = ramps.at(phases=product.phases, day=day)
        if running is None:
            message = f"{change.external_id} is not sold on {day}."
            raise _refused("effective_on", "outside_of_the_product", message)
        before = quote_phase_prices.running(running.terms.terms, at=at)
        name = product.name or change.external_id
        if kind is ChangeKind.REMOVE_PRODUCT:
            gone = PricedPhase(_NOWHERE, change.external_id, name, before, before, None, before=before)
            self._done.append((_Made(number, 0, gone), Span(day, product.last)))
            product.phases = ramps.cut(phases=product.phases, last=day - _DAY)
            product.last = day - _DAY
        elif change.phases:
            phase = change.phases[0]
            with under("phases.0"):
                prices = quote_phase_prices.of(phase=phase, currency=self._currency, at=at, running=running.terms.terms)
            priced = replace(
                _priced(prices, change.external_id, name),
                discount_rate=phase.discount_rate,
                discount_scope=phase.discount_scope,
                before=before,
            )
            span = Span(day, min(change.until or product.last, product.last))
            self._done.append((_Made(number, 0, priced), Span(day, day)))
            sold = _Sold(Terms(prices.version, prices.overrides), _Made(number, 0, priced))
            product.phases = ramps.overlaid(phases=product.phases, new=Phase(span, sold))

    def extend(self, number: int, change: QuoteChange, at: datetime) -> None:
        """Play a longer term: the products that go on to the end last longer, on their last terms. Raises Invalid."""
        if change.ends_on is None or change.ends_on <= self.last:
            raise _refused("ends_on", "must_be_after_end", f"The contract ends on {self.last} already.")
        span = Span(self.last + _DAY, change.ends_on)
        for product in self._products.values():
            if product.last != self.last or not product.phases:
                continue
            terms = product.phases[-1].terms.terms
            prices = quote_phase_prices.running(terms, at=at)
            going_on = PricedPhase(
                stretch=_NOWHERE,
                external_id=product.external_id,
                name=prices.plan_name,
                listed=prices,
                agreed=prices,
                quoted=prices,
                before=None if product.is_new else prices,
            )
            product.phases = [*product.phases, Phase(span, _Sold(terms, _Made(number, 0, going_on)))]
            product.last = change.ends_on
        self.last = change.ends_on

    def pieces(self, first: date) -> list[PricedPhase]:
        """Return what the changes make in the end, change by change, months counted from the first day of them all.

        What a later change took the place of altogether stays with no months, so that it can be told.
        """
        found = [
            (phase.terms.made, phase.span.first, phase.span.after)
            for product in self._products.values()
            for phase in product.phases
            if phase.terms.made is not None
        ]
        living = {(made.number, made.place) for made, _, _ in found}
        for made, span in self._done:
            if made.priced.quoted is None:
                found.append((made, span.first, span.after))
            elif (made.number, made.place) not in living:
                found.append((made, span.first, span.first))
        found.sort(key=lambda piece: (piece[0].number, piece[0].place, piece[1]))
        return [replace(made.priced, stretch=_stretch(made, starts, after, first)) for made, starts, after in found]

    def _add(self, number: int, change: QuoteChange, day: date, at: datetime) -> None:
        starts = [dates.add_months(day, phase.after_months) for phase in change.phases]
        product = _Product(change.external_id, change.name, self.last, [], is_new=True)
        for place, phase in enumerate(change.phases):
            with under(f"phases.{place}"):
                prices = quote_phase_prices.of(phase=phase, currency=self._currency, at=at)
            priced = replace(
                _priced(prices, change.external_id, change.name or prices.quoted.plan_name),
                discount_rate=phase.discount_rate,
                discount_scope=phase.discount_scope,
                starts_on=starts[place],
            )
            made = _Made(number, place, priced)
            last = min(starts[place + 1] - _DAY, self.last) if place + 1 < len(starts) else self.last
            if starts[place] <= last:
                sold = _Sold(Terms(prices.version, prices.overrides), made)
                product.phases.append(Phase(Span(starts[place], last), sold))
            self._done.append((made, Span(starts[place], starts[place])))
        self._products[change.external_id or f"+{number}"] = product


def begin(contract: Contract) -> Play:
    """Return a contract as it is, to play changes on."""
    products = {
        item.external_id: _Product(
            item.external_id,
            item.name,
            item.ends_on,
            [Phase(phase.span, _Sold(phase.terms)) for phase in contract_phases.of(item)],
        )
        for item in contract_rows.items(contract)
    }
    return Play(contract, products)


def _priced(prices: PhasePrices, external_id: str, name: str) -> PricedPhase:
    return PricedPhase(_NOWHERE, external_id, name, prices.listed, prices.agreed, prices.quoted)


def _stretch(made: _Made, starts: date, after: date, first: date) -> Stretch:
    gap = quote_totals.months_between(first=first, after=starts) if starts > first else Decimal(0)
    months = quote_totals.months_between(first=starts, after=after) if after > starts else Decimal(0)
    return Stretch(made.number, made.place, gap, months)


def _refused(field: str, code: str, message: str) -> errors.Invalid:
    return errors.Invalid(code, message, {field: [code]})
