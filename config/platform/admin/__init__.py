"""Admin pages of the installation, and what the admin pages of all apps are built of.

Owns the base classes (pages, verbs, blocks, cells, filters), the pages of API keys, the audit trail, people, groups and
the schedule. The sidebar and the overview belong to the installation that composes everything.
"""

from config.platform.admin import api_keys, audit, people, schedule

__all__ = ["api_keys", "audit", "people", "schedule"]
