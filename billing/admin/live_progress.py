"""How far background work is, on its page while it goes on: a bar that follows by itself, and the small answer that it
asks for. Owns no work and no state; the pages of runs and rehearsals say what there is to tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.http import JsonResponse
from django.utils import timezone

from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.blocks import Block
from config.platform.admin.cells import Tone

_MINUTE = 60


@dataclass(frozen=True)
class Item:
    """A figure below the bar. One with a ``name`` is plain text, which follows the work."""

    label: str
    value: object
    name: str = ""
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True)
class LiveProgress(Block):
    """How far something is. While it runs the page asks ``url`` for `answer`; ``pace`` is what can be said at once."""

    title: str
    done: int
    total: int
    is_running: bool
    url: str
    noun: str = "customers"
    is_waiting: bool = False
    pace: str = ""
    items: tuple[Item, ...] = field(default=())
    template: ClassVar[str] = "admin/billing/live_progress.html"

    @property
    def percent(self) -> int:
        """Whole percent: 100 only when all is done."""
        if not self.total:
            return 0 if self.is_running else 100
        return min(self.done * 100 // self.total, 99 if self.is_running else 100)

    @property
    def count(self) -> str:
        """How many of how many."""
        if self.is_waiting or not self.total:
            return ""
        return f"{cells.number_text(self.done)} of {cells.number_text(self.total)} {self.noun}"


def answer(block: LiveProgress, *, at: datetime) -> JsonResponse:
    """What the page asks for while the work goes on. Numbers are whole; nothing may keep the answer.

    ``second`` is how late it is, in seconds of the day of the installation's time zone.
    """
    local = timezone.localtime(at)
    texts = {item.name: str(item.value) for item in block.items if item.name}
    response = JsonResponse(
        {
            "is_running": block.is_running,
            "is_waiting": block.is_waiting,
            "done": block.done,
            "total": block.total,
            "percent": block.percent,
            "second": local.hour * 3600 + local.minute * 60 + local.second,
            "texts": {"count": block.count, "pace": block.pace, **texts},
        }
    )
    response["Cache-Control"] = "no-store"
    return response


def pace(*, done: int, total: int, started: datetime | None, at: datetime) -> str:
    """Say how fast it went since it began and how long the rest takes at that, or nothing where nothing is known yet.

    Work that was taken up again after an interruption seems slower than it is; the page's own count corrects that.
    """
    if started is None or not done or done >= total:
        return ""
    seconds = Decimal(int((at - started).total_seconds()))
    if seconds <= 0:
        return ""
    rate = Decimal(done) / seconds
    told = f"{_rounded(rate)} a second" if rate >= 1 else f"{_rounded(rate * _MINUTE)} a minute"
    return f"{told} · about {_span((total - done) / rate)} left"


def _rounded(rate: Decimal) -> str:
    return cells.number_text(money.round_half_up(rate, 1 if rate < 10 else 0))


def _span(seconds: Decimal) -> str:
    if seconds < 90:
        return f"{cells.number_text(money.round_half_up(seconds, 0))} s"
    minutes = int(money.round_half_up(seconds / _MINUTE, 0))
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
