"""Admin pages of subscriptions, usage and billing runs; and what this app shows on the pages of lower apps (panels)."""

from billing.admin import runs, subscriptions, usage

__all__ = ["runs", "subscriptions", "usage"]
