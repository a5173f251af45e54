"""Admin pages of the catalogue: metrics, plans with their price lists, taxes."""

from catalog.admin import charges, metrics, plans, taxes

__all__ = ["charges", "metrics", "plans", "taxes"]
