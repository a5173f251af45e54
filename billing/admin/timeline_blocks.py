"""The time line of a subscription on its page: the bar of its plans and pauses, what is to come above today, and what
happened below it. Owns the drawing; the words are `timeline_words`', the forecast is `upcoming_blocks`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from billing.admin import timeline_words as words
from billing.domain.timelines import Entry, Group, Stretch
from billing.models import Subscription
from billing.queries import timeline_plans, timelines
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Custom

FILTERS = (("", "All"), ("money", "Money"), ("changes", "Changes"), ("notices", "Notices"))
_WIDTH, _LEAST_TEXT, _LETTER = 1000, 60, 7
_AHEAD = timedelta(days=92)
_TONES = ("accent", "info", "good", "orange")
_MOST_NUMBER = 4


def of(subscription: Subscription, *, chosen: QueryDict, at: datetime, upcoming_url: str) -> tuple[Block, ...]:
    """Return the blocks of the tab. ``chosen`` has the filter (``show``) and the page of the history (``older``)."""
    show = chosen.get("show", "")
    groups = [Group(show)] if show in set(Group) else []
    number = _number(chosen.get("older", ""))
    rows = timelines.chain(subscription)
    found = timelines.read(rows=rows, at=at, number=number, groups=groups)
    planned = timeline_plans.read(rows=rows, at=at) if number == 1 else ()
    zone = subscription.customer.applicable_timezone
    line = {
        "planned": [_shown(one, zone, is_planned=True) for one in reversed(_wanted(planned, groups))],
        "past": [_shown(one, zone) for one in found.entries],
        "today": cells.day_of(at, zone),
        "filters": [
            {"label": label, "url": _url(name, 1), "is_on": name == (show if groups else "")} for name, label in FILTERS
        ],
        "newer": _url(show, number - 1) if number > 1 else "",
        "older": _url(show, number + 1) if found.has_older else "",
        "is_first": number == 1,
        "zone": zone,
    }
    bar = Custom("Plans and pauses", "admin/billing/timeline_bar.html", _bar(timelines.stretches(rows), at, zone))
    fragment = Custom("", "admin/billing/upcoming_frame.html", {"url": upcoming_url})
    below = Custom("", "admin/billing/timeline.html", line)
    living = any(row.status in _LIVING for row in rows)
    if number > 1:
        return (below,)
    return (bar, fragment, below) if living else (bar, below)


_LIVING = (
    Subscription.Status.PENDING,
    Subscription.Status.ACTIVE,
    Subscription.Status.PAUSED,
    Subscription.Status.INCOMPLETE,
)


def _wanted(entries: Sequence[Entry], groups: Sequence[Group]) -> list[Entry]:
    return [entry for entry in entries if not groups or entry.group in groups]


def _shown(entry: Entry, zone: str, *, is_planned: bool = False) -> Mapping[str, object]:
    look = words.LOOKS[entry.kind]
    title: object = words.title(entry, is_planned=is_planned)
    return {
        "day": cells.local_day(entry.at, zone),
        "icon": look.icon,
        "tone": look.tone,
        "title": _linked(entry, str(title)),
        "details": words.details(entry),
        "badge": words.badge(entry),
        "money": words.money(entry),
    }


def _linked(entry: Entry, title: str) -> object:
    """Lead to documents and contracts; a subscription of the chain is this page, or looks like it."""
    about = entry.subject
    if about is None or about.model == "billing.subscription":
        return title
    app, model = about.model.split(".")
    try:
        return cells.link(title, reverse(f"admin:{app}_{model}_change", args=[about.id]))
    except NoReverseMatch:
        return title


def _url(show: str, number: int) -> str:
    query = {name: value for name, value in (("show", show), ("older", number if number > 1 else "")) if value}
    return f"?{urlencode(query)}#time-line"


def _number(given: str) -> int:
    return max(1, int(given[:_MOST_NUMBER])) if given.isascii() and given.isdecimal() else 1


def _bar(stretches: Sequence[Stretch], at: datetime, zone: str) -> Mapping[str, Any]:
    if not stretches:
        return {"bars": (), "label": ""}
    start = min(one.from_at for one in stretches)
    ends = [one.to_at for one in stretches if one.to_at is not None]
    is_open = any(one.to_at is None for one in stretches)
    end = max([*ends, at + _AHEAD] if is_open else [*ends, start + timedelta(days=1)])
    span = end - start
    tones: dict[str, str] = {}
    bars = [_drawn(one, start, end, span, tones, zone) for one in stretches]
    today = _WIDTH * (at - start) // span
    return {
        "bars": bars,
        "today": today if 0 <= today <= _WIDTH else None,
        "marks": _marks(stretches, start, end, span, zone, is_open=is_open),
        "label": "; ".join(str(bar["title"]) for bar in bars),
    }


def _drawn(
    one: Stretch, start: datetime, end: datetime, span: timedelta, tones: dict[str, str], zone: str
) -> Mapping[str, object]:
    x = _WIDTH * (one.from_at - start) // span
    width = max(2, _WIDTH * ((one.to_at or end) - one.from_at) // span - 2)
    tone = "neutral" if one.is_paused else tones.setdefault(one.name, _TONES[len(tones) % len(_TONES)])
    price = "" if one.amount is None else f" {cells.money_text(one.amount)}"
    text = f"{one.name}{price}"
    until = "open" if one.to_at is None else cells.day_of(one.to_at, zone)
    fits = width > _LEAST_TEXT and len(text) * _LETTER < width
    return {
        "x": x,
        "width": width,
        "text_x": x + 8,
        "tone": tone,
        "opacity": "0.18" if one.is_planned else "0.25" if one.is_paused else "0.5",
        "is_planned": one.is_planned,
        "text": text if fits else "",
        "title": f"{text}: {cells.day_of(one.from_at, zone)} – {until}",
    }


def _marks(
    stretches: Iterable[Stretch], start: datetime, end: datetime, span: timedelta, zone: str, *, is_open: bool
) -> list[Mapping[str, object]]:
    """Name the first days of stretches, as far as their words do not run into each other, and the end."""
    marks: list[Mapping[str, object]] = []
    free_from, last = -1, _WIDTH - (90 if is_open else 180)
    for at in sorted({one.from_at for one in stretches}):
        x = _WIDTH * (at - start) // span
        has_room = x >= free_from and x < last
        marks.append({"x": x, "text_x": x, "anchor": "start", "text": cells.day_of(at, zone) if has_room else ""})
        free_from = x + 90 if has_room else free_from
    if not is_open:
        marks.append({"x": _WIDTH, "text_x": _WIDTH, "anchor": "end", "text": cells.day_of(end, zone)})
    return marks
