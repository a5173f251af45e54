"""The prices of a contract's phases: own terms on top of a plan's version, and the same terms after an uplift.

Owns turning what a phase keeps into a private version of the plan and back; what own terms may be is the catalogue's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.domain import uplifts
from billing.domain.uplifts import Scope
from billing.models import ContractPhase
from catalog.models import PlanVersion
from catalog.queries import plans
from catalog.services import own_terms_input, price_lists, private_terms, private_versions
from catalog.services.price_lists import ChargeContent, FixedChargeContent, PriceList
from config.kernel import errors, money

_DECIMALS = frozenset({"trial_period", "units", "conversion_rate"})


def agreed(*, version: PlanVersion, terms: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return own terms as a phase keeps them, checked against the plan's version; charges are named by their ids.

    ``terms`` is what ``plan_overrides`` of a subscription takes. Raises as `own_terms_input.agreed`, and Invalid
    (`unsupported_value`) for a term that a contract cannot have.
    """
    if not terms:
        return {}
    known = own_terms_input.OwnTerms.__annotations__
    unknown = [name for name in terms if name not in known]
    if unknown:
        raise errors.Invalid(
            "unsupported_value",
            f"A phase cannot agree on {', '.join(unknown)}.",
            {f"plan_overrides.{name}": ["unsupported_value"] for name in unknown},
        )
    content = price_lists.read(_with_content(version))
    _, kept = own_terms_input.agreed(before=content, terms=typed(terms), at=at)
    return {name: value for name, value in kept.items() if value or name not in private_terms.ROWS}


def with_units(*, terms: Mapping[str, Any], units: Mapping[str, Decimal]) -> dict[str, Any]:
    """Return terms with numbers of units by the codes of fixed charges put into them."""
    if not units:
        return dict(terms)
    rows = [dict(row) for row in terms.get("fixed_charges", ())]
    for code, number in units.items():
        row = next((row for row in rows if row.get("code") == code), None)
        if row is None:
            rows.append({"code": code, "units": number})
        else:
            row["units"] = number
    return {**terms, "fixed_charges": rows}


def own_version(*, phase: ContractPhase, at: datetime, minimum: Mapping[str, Any] | None = None) -> PlanVersion:
    """Return the plan version that a phase is billed by, made when it is needed; the public one where nothing differs.

    ``minimum`` is what each period costs at least (`amount_cents`, `invoice_display_name`). Needs a transaction; takes
    the lock of the plan. Saves nothing of the phase.
    """
    if phase.own_version is not None:
        return phase.own_version
    base = phase.plan_version
    terms = dict(phase.overrides)
    if minimum is not None:
        terms["minimum_commitment"] = dict(minimum)
    if not terms:
        return base
    private_versions.lock(plan_ids=[base.plan_id])
    made = private_versions.make(version=base, terms=typed(terms), at=at)
    found = price_lists.read(_with_content(made)).minimum_commitment
    if minimum is not None and (found is None or found.amount_cents != minimum["amount_cents"]):
        raise errors.Invalid(
            "unsupported_value", "This plan cannot have a minimum of its own.", {"commitments": ["unsupported_value"]}
        )
    return made


def uplifted(
    *,
    phase: ContractPhase,
    version: PlanVersion,
    rate: Decimal,
    scope: Scope,
    at: datetime,
    raises_minimum: bool = True,
) -> dict[str, Any]:
    """Return the own terms of a phase after an uplift of its prices, as ``version`` has them now.

    Each price is rounded once, see `uplifts`. Numbers of units, names and taxes stay. Without ``raises_minimum`` the
    minimum of a period is left out: it is a commitment of the contract.
    """
    version = _with_content(version)
    content = price_lists.read(version)
    asked = raised(content=content, rate=rate, scope=scope, raises_minimum=raises_minimum)
    _, kept = own_terms_input.agreed(before=content, terms=typed(asked), at=at)
    merged = private_terms.merged(phase.overrides, kept)
    return {name: value for name, value in merged.items() if value or name not in private_terms.ROWS}


def raised(*, content: PriceList, rate: Decimal, scope: Scope, raises_minimum: bool = True) -> dict[str, Any]:
    """Return own terms with the prices of a price list after an uplift, or a discount where the rate is below nothing.

    Each price is rounded once, see `uplifts`. They have not been checked.
    """
    currency = content.amount.currency.code
    fee = uplifts.amount(before=content.amount.amount, rate=rate, currency=currency)
    asked: dict[str, Any] = {"amount_cents": money.to_minor(type(content.amount)(fee, currency))}
    if scope is Scope.ALL:
        asked |= _all_prices(content, rate, currency)
        least = content.minimum_commitment
        if least is not None and raises_minimum:
            before = money.from_minor(least.amount_cents, currency).amount
            after = uplifts.amount(before=before, rate=rate, currency=currency)
            asked["minimum_commitment"] = {"amount_cents": money.to_minor(type(content.amount)(after, currency))}
    return asked


def typed(terms: Mapping[str, Any]) -> Any:
    """Return kept terms as the catalogue takes them in: ids and decimals are no texts any more."""
    return {name: _value(name, value) for name, value in terms.items()}


def _all_prices(content: PriceList, rate: Decimal, currency: str) -> dict[str, Any]:
    charges = [_charge(charge, rate, currency) for charge in content.charges]
    fixed = [_fixed(charge, rate, currency) for charge in content.fixed_charges]
    return {"charges": charges, "fixed_charges": fixed}


def _charge(charge: ChargeContent, rate: Decimal, currency: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": charge.key,
        "properties": uplifts.properties(before=charge.properties, rate=rate, currency=currency),
    }
    if charge.min_amount_cents:
        least = money.from_minor(charge.min_amount_cents, currency).amount
        raised = uplifts.amount(before=least, rate=rate, currency=currency)
        row["min_amount_cents"] = money.to_minor(type(money.zero(currency))(raised, currency))
    if charge.filters:
        row["filters"] = [
            {
                "values": part.values,
                "properties": uplifts.properties(before=part.properties, rate=rate, currency=currency),
                "invoice_display_name": part.invoice_display_name,
            }
            for part in charge.filters
        ]
    return row


def _fixed(charge: FixedChargeContent, rate: Decimal, currency: str) -> dict[str, Any]:
    return {
        "id": charge.key,
        "properties": uplifts.properties(before=charge.properties, rate=rate, currency=currency),
    }


def _value(name: str, value: Any) -> Any:
    if name in ("properties", "values"):
        return value
    if isinstance(value, Mapping):
        return typed(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_value("", one) for one in value]
    if name == "id" and isinstance(value, str):
        return UUID(value)
    return Decimal(value) if name in _DECIMALS and isinstance(value, str) else value


def _with_content(version: PlanVersion) -> PlanVersion:
    return plans.with_content(PlanVersion.objects.all()).get(pk=version.pk)
