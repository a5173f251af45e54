"""Compressed request bodies. Owns unpacking them, and the limit that keeps a few bytes from filling the memory: what a
body may be at most is true of it packed and unpacked.
"""

from __future__ import annotations

import zlib

import zstandard
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions
from rest_framework.request import Request

_GZIP = 16 + zlib.MAX_WBITS
# 8 MiB, what RFC 9659 allows for zstd on the web.
_ZSTD_WINDOW = 2**23
# A block of zstd takes four bytes at least and holds 128 KiB at most: one piece unpacks to 32 MiB at the very worst.
_ZSTD_PIECE = 1024


def body(request: Request) -> bytes:
    """Return the body as the sender had it before ``Content-Encoding``: gzip, zstd or none.

    Raises UnsupportedMediaType for other encodings, ParseError for a body that is damaged or cut off, RequestDataTooBig
    for one that is longer than a request may be, packed or unpacked.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    packed: bytes = request.body
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if encoding in {"", "identity"}:
        return packed
    if encoding in {"gzip", "x-gzip"}:
        return gunzipped(packed, limit=limit)
    if encoding == "zstd":
        return unzstd(packed, limit=limit)
    raise exceptions.UnsupportedMediaType(encoding)


def gunzipped(packed: bytes, *, limit: int) -> bytes:
    """Unpack gzip, of several members too. Raises ParseError and RequestDataTooBig."""
    parts: list[bytes] = []
    length = 0
    while True:
        member = zlib.decompressobj(_GZIP)
        try:
            part = member.decompress(packed, limit - length + 1)
        except zlib.error as error:
            raise _damaged("gzip") from error
        length += len(part)
        if length > limit:
            raise _too_big()
        if not member.eof:
            raise _damaged("gzip")
        parts.append(part)
        packed = member.unused_data
        if not packed:
            return b"".join(parts)


def unzstd(packed: bytes, *, limit: int) -> bytes:
    """Unpack zstd, of several frames too. Raises ParseError and RequestDataTooBig."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = unpacker.decompressobj()
    parts: list[bytes] = []
    length = start = 0
    while start < len(packed):
        piece = packed[start : start + _ZSTD_PIECE]
        start += len(piece)
        try:
            part = frame.decompress(piece)
        except zstandard.ZstdError as error:
            raise _damaged("zstd") from error
        length += len(part)
        if length > limit:
            raise _too_big()
        parts.append(part)
        if frame.eof:
            start -= len(frame.unused_data)
            if start == len(packed):
                return b"".join(parts)
            frame = unpacker.decompressobj()
    raise _damaged("zstd")


def _damaged(encoding: str) -> exceptions.ParseError:
    return exceptions.ParseError(f"the body is not {encoding}, or is cut off")


def _too_big() -> RequestDataTooBig:
    return RequestDataTooBig("The body is too long when it is unpacked.")
