"""Signing in and out, for the security log. Django tells of both by signals, whichever page they happen on; what is
written is the service's.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import signals
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from config.kernel import clients
from config.kernel.actors import Actor
from config.platform.models import SecurityLog
from config.platform.services import security_logs

LONGEST_NAME = 150


def signed_in(sender: Any, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    """Note that a person came in."""
    _note("succeeded", _person(request, user))


def signed_out(sender: Any, request: HttpRequest, user: AbstractBaseUser | None, **_: Any) -> None:
    """Note that a person left; whoever was not in cannot leave."""
    if user is not None:
        _note("signed_out", _person(request, user))


def refused(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Note that somebody was not let in, and by which name they tried."""
    given = str(credentials.get("username", "")).replace("\x00", "")[:LONGEST_NAME]
    _note("failed", Actor(kind="user", label=given, **_place(request)))


signals.user_logged_in.connect(signed_in, dispatch_uid="config.platform.signed_in")
signals.user_logged_out.connect(signed_out, dispatch_uid="config.platform.signed_out")
signals.user_login_failed.connect(refused, dispatch_uid="config.platform.refused")


def _note(event: str, actor: Actor) -> None:
    security_logs.record(
        kind=SecurityLog.Kind.SIGN_IN,
        event=event,
        actor=actor,
        at=timezone.now(),
        resources={"user_name": actor.label if actor.user_id is None else ""},
    )


def _person(request: HttpRequest | None, user: Any) -> Actor:
    name = user.get_full_name() or user.get_username()
    return Actor(kind="user", label=name, user_id=user.pk, **_place(request))


def _place(request: HttpRequest | None) -> dict[str, str]:
    if request is None:
        return {}
    return {"address": clients.address(request), "client": clients.agent(request)}
