"""Rates of VAT as rows, and the taxes that follow them. Owns loading a published list and keeping those taxes right.

The list that comes with the product is `data/vat_rates.json`; a newer one may be loaded from a file. Who is charged
which rate is not decided here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction

from catalog.domain import vat_rates
from catalog.domain.vat_rates import Rate
from catalog.models import Tax, VatRate
from catalog.queries import vat_rates as known_rates
from config.kernel import actors, dates, db
from config.kernel.actors import Actor
from config.platform.services import audit

PACKAGED = Path(__file__).resolve().parents[1] / "data" / "vat_rates.json"

_NAMES = {
    vat_rates.REVERSE_CHARGE: "Reverse charge",
    vat_rates.EXEMPT: "Exempt from VAT of the EU",
}


@dataclass(frozen=True)
class Loaded:
    """What loading changed: rates that are new or were corrected, and taxes that were made or got another rate."""

    rates: int
    taxes: int


@transaction.atomic
def load(*, actor: Actor, at: datetime, path: Path = PACKAGED) -> Loaded:
    """Load a list of rates and bring the taxes up to date. Loading the same list again changes nothing.

    A rate from the same day of the same place is corrected; what the list does not name stays. Raises InvalidRates for
    a list that cannot be read, and then changes nothing.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise vat_rates.InvalidRates("invalid_format", f"The list {path.name} cannot be read: {error}.") from error
    rates = vat_rates.parse(content)
    db.advisory_lock("catalog.vat_rates")
    known = {(row.country, row.territory, row.effective_from): row for row in VatRate.objects.all()}
    changed = [rate for rate in rates if _is_news(rate, known.get((rate.country, rate.territory, rate.effective_from)))]
    VatRate.objects.bulk_create(
        [_row(rate, at) for rate in changed],
        update_conflicts=True,
        unique_fields=["country", "territory", "effective_from"],
        update_fields=["name", "rate", "postcodes", "for_companies", "source"],
    )
    return Loaded(rates=len(changed), taxes=_follow(actor, at))


def ensure(*, actor: Actor, at: datetime) -> None:
    """Load the list that comes with the product where there is none yet, and bring the taxes up to date."""
    if VatRate.objects.exists():
        follow(as_of=at, actor=actor)
    else:
        load(actor=actor, at=at)


@transaction.atomic
def follow(*, as_of: datetime, actor: Actor | None = None) -> int:
    """Give the taxes the rates that are in force on the day of ``as_of``, in UTC: a periodic job. Idempotent.

    Returns how many were made or changed. Without any rates there is nothing to do: nobody asked for them yet.
    """
    if not VatRate.objects.exists():
        return 0
    db.advisory_lock("catalog.vat_rates")
    return _follow(actor or actors.job("vat_rates"), as_of)


def _follow(actor: Actor, at: datetime) -> int:
    """Taxes keep their codes and names; a rate that changed is on the audit trail."""
    wanted = {
        rate.code: rate for rate in vat_rates.in_force(rates=known_rates.all_rates(), on=dates.local_date(at, UTC))
    }
    codes = [*wanted, *_NAMES]
    found = {tax.code: tax for tax in db.lock(Tax.objects.filter(code__in=codes, deleted_at__isnull=True))}
    made = [_tax(code, wanted.get(code), at) for code in codes if code not in found]
    Tax.objects.bulk_create(made)
    changed = [tax for code, tax in found.items() if code in wanted and tax.rate != wanted[code].rate]
    notes = [audit.Note(instance=tax, verb="create", new={"code": tax.code, "rate": tax.rate}) for tax in made]
    for tax in changed:
        rate = wanted[tax.code]
        reason = f"{rate.source}, from {rate.effective_from}"
        notes.append(audit.Note(tax, "update", {"rate": tax.rate}, {"rate": rate.rate}, reason=reason))
        tax.rate = rate.rate
    Tax.objects.bulk_update(changed, ["rate"])
    audit.record_many(actor=actor, at=at, notes=notes)
    return len(made) + len(changed)


def _is_news(rate: Rate, row: VatRate | None) -> bool:
    return row is None or known_rates.value(row) != rate


def _row(rate: Rate, at: datetime) -> VatRate:
    return VatRate(
        created_at=at,
        country=rate.country,
        territory=rate.territory,
        name=rate.name,
        rate=rate.rate,
        postcodes=rate.postcodes,
        for_companies=rate.for_companies,
        effective_from=rate.effective_from,
        source=rate.source,
    )


def _tax(code: str, rate: Rate | None, at: datetime) -> Tax:
    return Tax(
        created_at=at,
        code=code,
        name=_NAMES[code] if rate is None else f"VAT {rate.name}",
        rate=0 if rate is None else rate.rate,
        origin=Tax.Origin.EU,
    )
