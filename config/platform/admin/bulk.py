"""A verb on many objects at once: the same right, form and service call as on one, and a result for each row.

Rows are done one after the other, each in its own transaction: one that is refused does not keep the others from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.http import urlencode

from config.kernel import errors
from config.platform.admin import acting, blocks, bulk_all, bulk_work, cells, theme
from config.platform.admin.blocks import Row, Table
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm, told
from config.platform.admin.verbs import ObjectVerb, form_media
from config.platform.models import BulkRun
from config.platform.queries import saved_filters
from config.platform.services import bulk_runs
from config.platform.services.bulk_runs import Result
from config.platform.services.spreadsheets import FileFormat

TEMPLATE = "admin/platform/bulk.html"
MOST = 200
"""More rows than a list shows are never ticked at once; all that match are done by a worker."""
ALL = "all"
OUTCOMES = {"done": Tone.GOOD, "refused": Tone.BAD, "asked": Tone.WARN, "skipped": Tone.NEUTRAL, "waiting": Tone.INFO}
"""What became of a row, and how that looks."""


@dataclass(frozen=True)
class BulkVerb:
    """An object verb for the rows that were ticked. Only verbs whose form fits all rows alike."""

    verb: ObjectVerb
    label: str

    @property
    def name(self) -> str:
        """The name in addresses."""
        return self.verb.name

    def may(self, request: HttpRequest) -> bool:
        """Say whether the person has the right."""
        return self.verb.may(request)


def chosen(verb: BulkVerb, model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
    """Lead from ticked rows, or from all that the list shows, to the verb's page. Changes nothing."""
    if request.POST.get("select_across") == "1":
        shown = urlencode({ALL: "1", "query": saved_filters.normal(request.GET.urlencode())})
        return HttpResponseRedirect(f"{model_admin.url(f'bulk_{verb.name}')}?{shown}")
    ids = list(queryset.values_list("pk", flat=True)[:MOST])
    address = model_admin.url(f"bulk_{verb.name}")
    return HttpResponseRedirect(f"{address}?{urlencode({'ids': ','.join(map(str, ids))})}")


def view(model_admin: Any, bulk: BulkVerb, request: HttpRequest) -> HttpResponse:
    """Show which of the rows the verb can be done on (GET), or do it on them and show what became of each (POST)."""
    if not bulk.may(request) or not model_admin.has_view_permission(request):
        raise PermissionDenied
    if ALL in request.GET:
        return bulk_all.view(model_admin, bulk, request)
    instances = _chosen_rows(model_admin, request)
    at = timezone.now()
    form = bulk.verb.form_class(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        found = {
            one.pk: (one, bulk_work.one(verb=bulk.verb, instance=one, form=form, actor=acting.actor(request), at=at))
            for one in instances
        }
        results = tuple(_done(request, one, done) for one, done in found.values())
        kept = bulk_runs.keep(
            object_type=model_admin.opts.label_lower,
            verb=bulk.name,
            label=bulk.label,
            values=bulk_work.kept(request.POST),
            results={pk: Result(done.outcome, str(one), done.remark) for pk, (one, done) in found.items()},
            actor=acting.actor(request),
            at=at,
        )
        return _page(model_admin, bulk, request, None, results, kept)
    return _page(model_admin, bulk, request, form, tuple(_asked(bulk.verb, one, at) for one in instances))


def _chosen_rows(model_admin: Any, request: HttpRequest) -> list[Any]:
    given = (request.POST if request.method == "POST" else request.GET).get("ids", "")
    ids = [int(text) for text in given.split(",") if text.isdecimal() and len(text) < 19][:MOST]
    return list(model_admin.get_queryset(request).filter(pk__in=ids).order_by("pk"))


def _asked(verb: ObjectVerb, instance: Any, at: datetime) -> Row:
    try:
        verb.check(instance=instance, at=at)
    except errors.DomainError as refusal:
        return Row((cells.to(instance), cells.badge("not possible", Tone.WARN), told(refusal)))
    return Row((cells.to(instance), cells.badge("ready", Tone.INFO), ""))


def _done(request: HttpRequest, instance: Any, done: bulk_work.Done) -> Row:
    remark: object = done.remark
    if done.asked is not None and request.user.has_perm("platform.view_approvalrequest"):
        remark = cells.to(done.asked, done.remark)
    return Row((cells.to(instance), cells.badge(done.outcome, OUTCOMES[done.outcome]), remark))


def downloads(run: BulkRun) -> str:
    """Links to what became of the rows, as files."""
    found = [
        (cells.link(name.upper(), reverse("admin:platform_bulkrun_results", args=[run.pk, name.value])),)
        for name in FileFormat
    ]
    return format_html_join(" · ", "{}", found)


def _page(
    model_admin: Any,
    bulk: BulkVerb,
    request: HttpRequest,
    form: VerbForm | None,
    rows: tuple[Row, ...],
    kept: BulkRun | None = None,
) -> HttpResponse:
    request.current_app = model_admin.admin_site.name
    title = "What would be done" if form is not None else "What was done"
    context = {
        **model_admin.admin_site.each_context(request),
        "title": bulk.label,
        "opts": model_admin.opts,
        "verb": bulk.verb,
        "is_danger": bulk.verb.variant is theme.ActionVariant.DANGER,
        "form": form,
        "button": bulk.label,
        "ids": (request.POST if request.method == "POST" else request.GET).get("ids", ""),
        "count": len(rows),
        "back": model_admin.url("changelist"),
        "media": form_media(form),
        "blocks": [
            Table(
                title,
                blocks.columns("Object", "", "Remark"),
                rows,
                empty="No rows were chosen.",
                action=downloads(kept) if kept is not None and rows else "",
            )
        ],
    }
    return TemplateResponse(request, TEMPLATE, context)
