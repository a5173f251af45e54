"""Reading rates of VAT as values."""

from __future__ import annotations

from catalog.domain.vat_rates import Rate
from catalog.models import VatRate


def all_rates() -> list[Rate]:
    """Return all rates, past and future ones too."""
    return [value(row) for row in VatRate.objects.all()]


def territories(*, country: str) -> list[Rate]:
    """Return the territories of a country that have rates of their own, each once, whatever the day."""
    rows = VatRate.objects.filter(country=country).exclude(territory="")
    return [value(row) for row in rows.order_by("territory", "-effective_from").distinct("territory")]


def value(row: VatRate) -> Rate:
    """Return a row as the value that the rules take."""
    return Rate(
        country=row.country,
        territory=row.territory,
        name=row.name,
        rate=row.rate,
        effective_from=row.effective_from,
        postcodes=row.postcodes,
        for_companies=row.for_companies,
        source=row.source,
    )
