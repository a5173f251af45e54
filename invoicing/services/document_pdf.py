"""Makes PDF of HTML with WeasyPrint. Owns the style sheet, the fonts and the refusal to fetch anything else.

The style sheet and the fonts are read once per process. A document can only consist of its own text: what it refers to
is not fetched, neither from the network nor from this machine's files.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import pathlib
import threading
from collections.abc import Iterator
from urllib import parse, request

import weasyprint
from django.contrib.staticfiles import finders
from weasyprint import urls
from weasyprint.text.fonts import FontConfiguration

STYLE_SHEET = "documents/invoice.css"

# The text engine's font map is not made for several threads, and one document at a time is as fast.
_one_at_a_time = threading.Lock()


class RefusedReference(ValueError):
    """A document refers to something outside itself."""


class Nothing(urls.URLFetcher):
    """Fetches nothing."""

    def fetch(self, url: str, headers: object = None) -> urls.URLFetcherResponse:
        """Refuse. The document is written without what it referred to."""
        raise RefusedReference(url)


class FilesBeside(urls.URLFetcher):
    """Fetches files of one folder and below, for the style sheet's fonts."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(allowed_protocols={"file"}, allow_redirects=False)
        self.folder = folder

    def fetch(self, url: str, headers: object = None) -> urls.URLFetcherResponse:
        """Fetch a file of the folder. Raises RefusedReference for anything else."""
        path = pathlib.Path(request.url2pathname(parse.urlsplit(url).path)).resolve()
        if not url.startswith("file:") or not path.is_relative_to(self.folder):
            raise RefusedReference(url)
        return super().fetch(url, headers)


def style_sheet() -> str:
    """Return the text of the style sheet of documents."""
    return _style_file().read_text(encoding="utf-8")


def write(*, html: str) -> bytes:
    """Return the PDF of a page of HTML. The same HTML gives the same bytes. Takes about a second for a page."""
    with _one_at_a_time, _without_collection():
        style, fonts = _style()
        return bytes(
            weasyprint.HTML(string=html, url_fetcher=Nothing()).write_pdf(
                stylesheets=[style], font_config=fonts, pdf_identifier=b"", pdf_tags=True
            )
        )


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the garbage collector from looking through a page's many objects again and again while it is made.

    They are all needed until it is done.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@functools.cache
def _style() -> tuple[weasyprint.CSS, FontConfiguration]:
    fonts = FontConfiguration()
    path = _style_file()
    return weasyprint.CSS(filename=path, font_config=fonts, url_fetcher=FilesBeside(path.parent)), fonts


def _style_file() -> pathlib.Path:
    found = finders.find(STYLE_SHEET)
    if not isinstance(found, str):
        raise FileNotFoundError(f"The static file {STYLE_SHEET} is missing.")
    return pathlib.Path(found).resolve()
