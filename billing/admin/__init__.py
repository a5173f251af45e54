"""Admin pages of subscriptions, usage and billing runs; and what this app shows on the pages of lower apps (panels)."""

from billing.admin import (
    alerts,
    contracts,
    correction_verbs,
    coupon_previews,
    late_usage,
    line_verbs,
    plan_migrations,
    runs,
    subscriptions,
    usage,
    wallets,
)

__all__ = [
    "alerts",
    "contracts",
    "correction_verbs",
    "coupon_previews",
    "late_usage",
    "line_verbs",
    "plan_migrations",
    "runs",
    "subscriptions",
    "usage",
    "wallets",
]
