"""Admin pages of subscriptions, usage and billing runs; and what this app shows on the pages of lower apps (panels)."""

from billing.admin import late_usage, runs, subscriptions, usage

__all__ = ["late_usage", "runs", "subscriptions", "usage"]
