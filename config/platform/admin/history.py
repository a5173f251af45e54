"""The history of an object: who did what to it, when and why. Owns showing it; the audit trail itself is a service."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.platform.admin import audit_values as values
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Row, Table
from config.platform.admin.cells import Tone
from config.platform.models import AuditEntry
from config.platform.queries import audit_trail

TEMPLATE = "admin/platform/history.html"
PER_PAGE = 100
RECENT = 8

_TONES = {
    AuditEntry.ActorKind.USER: Tone.ACCENT,
    AuditEntry.ActorKind.API_KEY: Tone.INFO,
    AuditEntry.ActorKind.JOB: Tone.NEUTRAL,
    AuditEntry.ActorKind.SYSTEM: Tone.NEUTRAL,
    AuditEntry.ActorKind.CUSTOMER: Tone.GOOD,
}


def view(model_admin: Any, request: HttpRequest, instance: Any) -> HttpResponse:
    """The history of one object, newest first, a hundred entries at a time."""
    found = values.with_currency(audit_trail.of(instance), about=instance)
    entries = Paginator(found, PER_PAGE).get_page(request.GET.get("p"))
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"History of {instance}",
        "opts": model_admin.opts,
        "original": instance,
        "entries": entries,
        "blocks": [table(entries, title="History")],
    }
    return TemplateResponse(request, TEMPLATE, context)


def recent(instance: Any, url: str) -> Table:
    """The last few entries of an object, with the way to all of them."""
    entries = values.with_currency(audit_trail.of(instance), about=instance)[:RECENT]
    return table(entries, title="History", action=cells.link("All entries", url))


def table(entries: Any, *, title: str, action: object = "") -> Table:
    """Entries of the audit trail as rows."""
    rows = tuple(
        Row((cells.instant(entry.at), who(entry), verb(entry.verb), changes(entry), entry.reason or ""))
        for entry in entries
    )
    empty = "Nothing has been done to it since it was made by the system."
    return Table(title, blocks.columns("When", "Who", "What", "Change", "Why"), rows, empty=empty, action=action)


def who(entry: AuditEntry) -> SafeString:
    """The actor, with its kind and from where it was done."""
    origin = f", {entry.address}" if entry.address else ""
    return cells.stack(entry.actor_label, f"{entry.get_actor_kind_display()}{origin}")


def kind(entry: AuditEntry) -> SafeString:
    """The kind of the actor."""
    return cells.badge(entry.get_actor_kind_display(), _TONES[AuditEntry.ActorKind(entry.actor_kind)])


def subject(object_type: str, object_id: int | None, label: str) -> SafeString:
    """The object that something is about, with its kind: a link to its page, as long as it has one."""
    try:
        model = apps.get_model(object_type)
        url = "" if object_id is None else _page_url(model, object_id)
    except (LookupError, ValueError, NoReverseMatch):
        return cells.stack(label, object_type)
    return cells.stack(cells.link(label, url) if url else label, model._meta.verbose_name)


def kind_of(object_type: str) -> str:
    """What a kind of object is called."""
    try:
        return str(apps.get_model(object_type)._meta.verbose_name)
    except (LookupError, ValueError):
        return object_type


def origin(entry: AuditEntry) -> SafeString:
    """From where it was done; nothing of jobs, and of what was done before that was kept."""
    return cells.stack(entry.address, cells.hinted(entry.client[:40], entry.client)) if entry.address else cells.EMPTY


def verb(name: str) -> str:
    """A verb as people say it."""
    return name.replace("_", " ")


def changes(entry: AuditEntry) -> SafeString:
    """The changed values: what they were, and what they are."""
    names = values.names(entry)
    lines = (
        (
            values.label(name),
            _before(entry, name),
            _short(values.shown(entry, name, entry.new[name])) if name in entry.new else "",
        )
        for name in names
    )
    return format_html_join("", '<span class="q-change"><b>{}</b> {}{}</span>', lines)


def _before(entry: AuditEntry, name: str) -> SafeString:
    if name not in entry.old:
        return format_html("{}", "")
    return format_html("<s>{}</s> ", _short(values.shown(entry, name, entry.old[name])))


def _page_url(model: type[Model], object_id: int) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[object_id])


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
