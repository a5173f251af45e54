"""Compressed bodies: what is unpacked, and what is refused before it fills the memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard
from django.core.exceptions import RequestDataTooBig
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import exceptions

from config.platform.api import compression

MEBIBYTE = 2**20
LIMIT = 16 * MEBIBYTE

Unpack = Callable[..., bytes]
WAYS = [(gzip.compress, compression.gunzipped), (zstandard.compress, compression.unzstd)]


@pytest.mark.parametrize(("pack", "unpack"), WAYS)
@given(parts=st.lists(st.binary(max_size=5000), min_size=1, max_size=4))
def test_what_was_packed_comes_out(pack: Callable[[bytes], bytes], unpack: Unpack, parts: list[bytes]) -> None:
    packed = b"".join(pack(part) for part in parts)
    assert unpack(packed, limit=LIMIT) == b"".join(parts)


@pytest.mark.parametrize(("pack", "unpack"), WAYS)
def test_a_long_body(pack: Callable[[bytes], bytes], unpack: Unpack) -> None:
    body = b"".join(b"%d\n" % (number * 7919 % 100_003) for number in range(300_000))
    assert unpack(pack(body), limit=LIMIT) == body


@pytest.mark.parametrize(("pack", "unpack"), WAYS)
def test_the_limit_is_exact(pack: Callable[[bytes], bytes], unpack: Unpack) -> None:
    assert unpack(pack(b"x" * 1000), limit=1000) == b"x" * 1000
    with pytest.raises(RequestDataTooBig):
        unpack(pack(b"x" * 1001), limit=1000)
    with pytest.raises(RequestDataTooBig):
        unpack(pack(b"x" * 600) + pack(b"x" * 600), limit=1000)


@pytest.mark.parametrize(("pack", "unpack"), WAYS)
def test_a_bomb_is_refused_before_it_goes_off(pack: Callable[[bytes], bytes], unpack: Unpack) -> None:
    bomb = pack(bytes(128 * MEBIBYTE))
    assert len(bomb) < MEBIBYTE
    tracemalloc.start()
    with pytest.raises(RequestDataTooBig):
        unpack(bomb, limit=LIMIT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * LIMIT


@pytest.mark.parametrize(("pack", "unpack"), WAYS)
def test_damaged_bodies(pack: Callable[[bytes], bytes], unpack: Unpack) -> None:
    packed = pack(b"some text " * 100)
    for damaged in (b"", b"\x00", b"no such thing", packed[:-1], packed[:10], packed + b"rest", packed[1:]):
        with pytest.raises(exceptions.ParseError):
            unpack(damaged, limit=LIMIT)


def test_a_window_that_is_too_large_is_refused() -> None:
    wide = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    ).compressobj()
    packed = wide.compress(bytes(MEBIBYTE)) + wide.flush()
    with pytest.raises(exceptions.ParseError):
        compression.unzstd(packed, limit=LIMIT)
