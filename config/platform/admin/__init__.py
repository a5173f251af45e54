"""Admin pages of the installation, and what the admin pages of all apps are built of.

Owns the base classes (pages, verbs, blocks, cells, filters), the pages of keys, webhooks, the audit trail, the logs,
people, groups and the schedule. The sidebar and the overview belong to the installation that composes everything.
"""

from config.platform.admin import (
    api_keys,
    approval_rules,
    approvals,
    audit,
    bulk_runs,
    imports,
    people,
    personal_views,
    request_logs,
    saved_filters,
    schedule,
    security_logs,
    sign_ins,
    webhook_deliveries,
    webhook_endpoints,
    work_queues,
)

__all__ = [
    "api_keys",
    "approval_rules",
    "approvals",
    "audit",
    "bulk_runs",
    "imports",
    "people",
    "personal_views",
    "request_logs",
    "saved_filters",
    "schedule",
    "security_logs",
    "sign_ins",
    "webhook_deliveries",
    "webhook_endpoints",
    "work_queues",
]
