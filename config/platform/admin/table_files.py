"""Answers that are a table as a file. Owns their headers; what stands in a cell is `spreadsheets`'."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import StreamingHttpResponse

from config.platform.services.spreadsheets import CONTENT_TYPES, FileFormat


def answer(pieces: Iterable[bytes], *, name: str, file_format: FileFormat) -> StreamingHttpResponse:
    """Send a file in pieces, to be saved under ``name`` with its ending. Nobody on the way keeps it."""
    return StreamingHttpResponse(
        pieces,
        content_type=CONTENT_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{file_format.value}"',
            "Cache-Control": "private, no-store",
        },
    )
