"""Admin pages of subscriptions, usage and billing runs; and what this app shows on the pages of lower apps (panels)."""

from billing.admin import alerts, contracts, late_usage, plan_migrations, runs, subscriptions, usage

__all__ = ["alerts", "contracts", "late_usage", "plan_migrations", "runs", "subscriptions", "usage"]
