"""Pieces of a page that take longer than the page: they are fetched after it, each from an address of its own.

Owns the placeholder and the answer with a piece. Rights are asked by whoever says what a piece shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from config.platform.admin.blocks import Block

TEMPLATE = "admin/platform/blocks/piece.html"


@dataclass(frozen=True)
class Later(Block):
    """The place of a piece, with what it will show in a word or two."""

    title: str
    url: str
    template: ClassVar[str] = "admin/platform/blocks/later.html"


def place(request: HttpRequest, url: str, title: str) -> Later:
    """The place of a piece, asked for with what the address of the page asks for."""
    query = request.GET.urlencode()
    return Later(title, f"{url}?{query}" if query else url)


def answer(request: HttpRequest, blocks: Sequence[Block]) -> HttpResponse:
    """Answer with a piece."""
    return TemplateResponse(request, TEMPLATE, {"blocks": blocks})
