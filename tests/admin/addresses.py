"""Every address of the admin, found by walking its routes, with objects that exist in the place of ids.

Knows of each whose verb it is, so that a test can say who may use it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models
from django.urls import URLPattern, URLResolver, get_resolver

from billing.models import OrderForm
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.pages import PageAdmin
from config.platform.admin.verbs import Verb

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
SKIPPED = ("logout/", "jsi18n/", "/admin/r/<", "(?P<url>")
UNWATCHED = {"auth_user", "django_session", "django_admin_log"}
"""Signing in writes these: when somebody was last here."""
UNKNOWN = "999999999"
VALUES = {"kind": "csv", "file_format": "csv"}
"""What stands in the place of arguments that are no ids."""
SAMPLES = "/admin/platform/importfile/samples/"
CHOSEN = {f"{SAMPLES}<slug:kind>.<slug:file_format>": f"{SAMPLES}customers.csv"}
"""Routes without an id, as they are asked."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that can be asked: ``path`` with an example in it, ``route`` as Django knows it.

    ``verb`` is what is done there, of which admin; None where it is no verb's. ``is_known`` says that its object
    exists, ``is_first`` that it is the newest example of its route.
    """

    path: str
    route: str
    verb: Verb | None = None
    model_admin: Any = None
    is_known: bool = True
    is_first: bool = True

    def may(self, user: User) -> bool:
        """Say whether somebody has the right of the verb, and may look at what it belongs to."""
        request: Any = SimpleNamespace(user=user)
        assert self.verb is not None
        has_right = user.has_perm(self.verb.permission) if type(self.verb).may is Verb.may else self.verb.may(request)
        return has_right and bool(self.model_admin.has_view_permission(request))


def every() -> list[str]:
    """All addresses below /admin/, with the newest and the oldest object of each model, and one that is not there."""
    return sorted({address.path for address in found()})


def found() -> list[Address]:
    """All addresses below /admin/ as they are known, each once."""
    verbs = demanded()
    everywhere = (*_walk(_admin(), "/admin/"), *_walk(get_resolver().url_patterns, "/"))
    routes = dict.fromkeys(route for route in everywhere if route.startswith("/admin/"))
    every_one = (one for route in routes for one in _filled(route, *verbs.get(route, (None, None))))
    return list({address.path: address for address in every_one}.values())


def without_example() -> set[str]:
    """The routes that have an argument and nothing to put in its place."""
    known = {address.route for address in found() if address.is_known}
    return {address.route for address in found()} - known


def fingerprint() -> dict[str, str]:
    """A digest of every row of every table that the product writes."""
    tables = {model._meta.db_table for model in apps.get_models() if model._meta.managed}
    digests = [
        f"SELECT '{table}', md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM \"{table}\" t"
        for table in sorted({*tables, "billing_usage_event", "billing_event_key"} - UNWATCHED)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(digests))
        return dict(cursor.fetchall())


def _admin() -> list[URLPattern | URLResolver]:
    entries = get_resolver().url_patterns
    return next(one.url_patterns for one in entries if isinstance(one, URLResolver) and one.app_name == "admin")


def _walk(entries: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for entry in entries:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        elif not any(skipped in route for skipped in SKIPPED) and "^" not in route:
            yield route


def demanded() -> dict[str, tuple[Verb, Any]]:
    """The verbs of the registry and whose they are, by their routes."""
    known = {}
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, PageAdmin):
            continue
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for prefix, verbs in (
            ("", model_admin.list_verbs),
            ("bulk/", model_admin.bulk_verbs),
            ("<path:object_id>/", model_admin.verbs),
        ):
            for verb in verbs:
                asked: Verb = verb.verb if isinstance(verb, BulkVerb) else verb
                known[f"{base}{prefix}{verb.name}/"] = (asked, model_admin)
    return known


def _filled(route: str, verb: Verb | None, model_admin: Any) -> Iterator[Address]:
    address = functools.partial(Address, route=route, verb=verb, model_admin=model_admin)
    if not ARGUMENT.search(route) or route in CHOSEN:
        yield address(CHOSEN.get(route, route))
        return
    for number, example in enumerate(_examples(route)):
        yield address(put(route, example), is_first=number == 0)
    unknown = "00000000-0000-0000-0000-000000000000" if "<uuid:" in route else UNKNOWN
    yield address(put(route, unknown), is_known=False, is_first=False)


def put(route: str, example: str) -> str:
    """The address of a route with an example in the place of its arguments."""
    return ARGUMENT.sub(lambda found: VALUES.get(found[1], example), route)


def _examples(route: str) -> list[str]:
    """The newest and the oldest object that fits the route, if there are two."""
    if "<uuid:public_id>" in route:
        return [str(uuid) for uuid in OrderForm.objects.exclude(signed_document="").values_list("uuid", flat=True)[:1]]
    if "<int:customer_id>" in route:
        return _ends(apps.get_model("customers.customer"))
    app, model = route.removeprefix("/admin/").split("/")[:2]
    return _ends(apps.get_model(app, model))


def _ends(model: type[models.Model]) -> list[str]:
    rows = model._default_manager
    ends = (rows.order_by("-pk").first(), rows.order_by("pk").first())
    return list(dict.fromkeys(str(row.pk) for row in ends if row is not None))
