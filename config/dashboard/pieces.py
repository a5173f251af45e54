"""Pieces of the overview: the view that answers with one, and values that it brings for places elsewhere on the page.

What a piece shows is the overview's; the rights are asked there, as for the page itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from config.platform.admin import later
from config.platform.admin.blocks import Block

Piece = Callable[[HttpRequest, datetime], Sequence[Block]]


@dataclass(frozen=True)
class Values(Block):
    """Texts for places of the page that wait for this piece, by the places' names."""

    items: tuple[tuple[str, str], ...]
    template: ClassVar[str] = "admin/overview/values.html"


def place(name: str) -> SafeString:
    """A place for a value that a piece brings."""
    return format_html('<span data-q-from="{}">…</span>', name)


def view(piece: Piece) -> Callable[[HttpRequest], HttpResponse]:
    """The view of a piece, for people who are signed in. Changes nothing: anything but GET is refused."""

    @require_safe
    def answer(request: HttpRequest) -> HttpResponse:
        return later.answer(request, piece(request, timezone.now()))

    return answer
