"""Who is at the other end of a request: its network address and what it calls itself. Owns believing headers or not."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

LONGEST_AGENT = 512


def address(request: HttpRequest) -> str:
    """Return the network address that sent the request, empty where it is unknown.

    Behind a proxy that is the last one in ``X-Forwarded-For``, which our own proxy appended; those before it are what
    the client says. Without a proxy the header is not believed.
    """
    given = str(request.META.get("REMOTE_ADDR") or "")
    if settings.BEHIND_PROXY:
        given = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or given
    try:
        return str(ipaddress.ip_address(given.removeprefix("[").partition("]")[0]))
    except ValueError:
        return ""


def agent(request: HttpRequest) -> str:
    """Return the ``User-Agent``, cut, without what no column can hold."""
    given = request.headers.get("User-Agent", "").replace("\x00", "")
    return given.encode("utf-8", "replace").decode("utf-8")[:LONGEST_AGENT]
