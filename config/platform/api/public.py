"""Answers that nobody asked for, such as webhooks. Owns absolute addresses where there is no
request to build them from.
"""

from __future__ import annotations

from django.conf import settings


class PublicSite:
    """Stands for a request where shapes need one only for absolute addresses: it knows the installation's own."""

    def build_absolute_uri(self, location: str) -> str:
        """Return the address of a path of this installation, such as ``https://billing.example.com/admin/``."""
        return f"{settings.PUBLIC_URL}{location}"


SITE = PublicSite()
