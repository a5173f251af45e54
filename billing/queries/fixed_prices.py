"""Fixed charges of plan versions as plain values, for rating. Owns reading them; the units come from `fixed_units`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from billing.domain import fixed_units
from billing.domain.fixed_charges import FixedChargeFacts, Increase, PaidBefore
from billing.domain.fixed_units import UnitsWritten
from billing.domain.held_time import HeldTime
from catalog.domain.pricing.models import ChargeModel
from catalog.models import FixedCharge


@dataclass(frozen=True, slots=True)
class PricedFixedCharge:
    """A fixed charge of a plan version. `key` outlives versions; `units` is the plan's number."""

    id: int
    key: str
    code: str
    name: str
    add_on_id: int
    add_on_code: str
    add_on_name: str
    model: ChargeModel
    properties: Mapping[str, object]
    pay_in_advance: bool
    is_prorated: bool
    units: Decimal
    tax_ids: tuple[int, ...]

    def facts(
        self, *, history: Sequence[UnitsWritten], time: HeldTime, paid_before: tuple[PaidBefore, ...] = ()
    ) -> FixedChargeFacts:
        """Return the fixed charge with its units of a period, ready for rating.

        In arrears every number of the period counts, in advance the one that the period opens with. Without a history
        it is the plan's number.
        """
        period = time.billed
        if not history:
            history = (UnitsWritten(self.units, period.start),)
        if self.pay_in_advance:
            history = (UnitsWritten(fixed_units.at_opening(history, period.start), period.start),)
        return FixedChargeFacts(
            id=self.key,
            code=self.code,
            model=self.model,
            properties=self.properties,
            period=period,
            units=fixed_units.until(history, period.end),
            held=fixed_units.held(history, time) if self.is_prorated else None,
            of_days=time.natural.days,
            pay_in_advance=self.pay_in_advance,
            name=self.name,
            paid_before=paid_before if self.is_prorated else (),
        )

    def increase(self, *, increase: Increase, time: HeldTime) -> FixedChargeFacts:
        """Return what a number of units agreed within a period adds to it, from the first day of ``time`` on."""
        whole = time.billed
        days = fixed_units.held((UnitsWritten(increase.units, whole.start),), time)
        return FixedChargeFacts(
            id=self.key,
            code=self.code,
            model=self.model,
            properties=self.properties,
            period=whole,
            units=increase.units,
            held=days if self.is_prorated else None,
            of_days=time.natural.days,
            pay_in_advance=True,
            name=self.name,
            increase=increase,
        )


def rows() -> QuerySet[FixedCharge]:
    """Return fixed charges with what their prices are read from."""
    return FixedCharge.objects.select_related("add_on").prefetch_related("taxes")


def priced(charge: FixedCharge) -> PricedFixedCharge:
    """Return a fixed charge as plain values."""
    add_on = charge.add_on
    return PricedFixedCharge(
        id=charge.pk,
        key=str(charge.key),
        code=charge.code,
        name=charge.invoice_display_name or add_on.invoice_display_name or add_on.name,
        add_on_id=add_on.pk,
        add_on_code=add_on.code,
        add_on_name=add_on.name,
        model=ChargeModel(charge.charge_model),
        properties=charge.properties,
        pay_in_advance=charge.pay_in_advance,
        is_prorated=charge.prorated,
        units=charge.units,
        tax_ids=tuple(tax.pk for tax in charge.taxes.all()),
    )
