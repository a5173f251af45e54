"""Admin pages of the catalogue: metrics, plans with their price lists, add-ons, pricing units, taxes."""

from catalog.admin import (
    add_ons,
    charges,
    features,
    fixed_charges,
    metrics,
    plans,
    price_imports,
    pricing_units,
    taxes,
)

__all__ = [
    "add_ons",
    "charges",
    "features",
    "fixed_charges",
    "metrics",
    "plans",
    "price_imports",
    "pricing_units",
    "taxes",
]
