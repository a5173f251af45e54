"""A verb on all rows that a list shows, over more than one page: how many they are, the form, and the order to do it.

The worker does them and the order's page follows it. Ticked rows have a page of their own.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone

from config.kernel import errors
from config.platform.admin import acting, blocks, bulk_work, cells, theme
from config.platform.admin.blocks import Figure, Figures, Note, Row, Table
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm, told
from config.platform.admin.verbs import form_media
from config.platform.services import bulk_runs

TEMPLATE = "admin/platform/bulk.html"
EXAMPLES = 20


def view(model_admin: Any, bulk: Any, request: HttpRequest) -> HttpResponse:
    """Show how many rows there are and what of the first ones is possible (GET), or order it for all of them (POST).

    The rows are those that match at that moment; where they are others than were shown, it is shown again.
    """
    query = request.GET.get("query", "")
    try:
        matching = _matching(model_admin, request, query)
    except (IncorrectLookupParameters, ValueError):
        messages.warning(request, "This filter is none of the list's any more.")
        return HttpResponseRedirect(model_admin.url("changelist"))
    ids = list(dict.fromkeys(matching.values_list("pk", flat=True)[: bulk_runs.MOST + 1]))
    at = timezone.now()
    form = bulk.verb.form_class(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if request.POST.get("counted") != _counted(ids):
            form.add_error(None, f"{len(ids):,} rows match by now, and are others than were shown. Look again.")
        else:
            try:
                run = bulk_runs.order(
                    object_type=model_admin.opts.label_lower,
                    verb=bulk.name,
                    label=bulk.label,
                    object_ids=ids,
                    query=query,
                    values=bulk_work.kept(request.POST),
                    actor=acting.actor(request),
                    at=at,
                    once=form.cleaned_data.get("once"),
                )
            except errors.DomainError as refusal:
                form.refuse(refusal)
            else:
                return HttpResponseRedirect(cells.page_url(run))
    return _page(model_admin, bulk, request, form, ids, at)


def _matching(model_admin: Any, request: HttpRequest, query: str) -> Any:
    narrowed = copy.copy(request)
    narrowed.method = "GET"
    narrowed.GET = QueryDict(query)
    return model_admin.get_changelist_instance(narrowed).queryset


def _page(
    model_admin: Any, bulk: Any, request: HttpRequest, form: VerbForm, ids: list[int], at: datetime
) -> HttpResponse:
    is_too_many = len(ids) > bulk_runs.MOST
    examples = model_admin.get_queryset(request).filter(pk__in=ids[:EXAMPLES]).order_by("pk")
    rows = tuple(_asked(bulk.verb, one, at) for one in examples)
    matching = f"more than {bulk_runs.MOST:,}" if is_too_many else f"{len(ids):,}"
    shown: list[blocks.Block] = [Figures((Figure("Rows that match", matching, hint="of the list, as it is filtered"),))]
    if is_too_many:
        shown.append(Note(f"No more than {bulk_runs.MOST:,} at once: narrow the list down first.", Tone.WARN))
    title = "The first of them" if len(ids) > len(rows) else "What would be done"
    shown.append(Table(title, blocks.columns("Object", "", "Remark"), rows, empty="No row matches."))
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": bulk.label,
        "opts": model_admin.opts,
        "verb": bulk.verb,
        "is_danger": bulk.verb.variant is theme.ActionVariant.DANGER,
        "form": form,
        "button": f"{bulk.label}: all {len(ids):,}",
        "counted": _counted(ids),
        "count": 0 if is_too_many else len(ids),
        "back": f"{model_admin.url('changelist')}?{request.GET.get('query', '')}",
        "media": form_media(form),
        "blocks": shown,
    }
    return TemplateResponse(request, TEMPLATE, context)


def _counted(ids: Sequence[int]) -> str:
    """What tells the rows that were shown from others: their number, and a digest of their keys."""
    digest = hashlib.sha256(",".join(map(str, sorted(ids))).encode()).hexdigest()
    return f"{len(ids)}.{digest[:16]}"


def _asked(verb: Any, instance: Any, at: datetime) -> Row:
    try:
        verb.check(instance=instance, at=at)
    except errors.DomainError as refusal:
        return Row((cells.to(instance), cells.badge("not possible", Tone.WARN), told(refusal)))
    return Row((cells.to(instance), cells.badge("ready", Tone.INFO), ""))
