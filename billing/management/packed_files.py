"""Files as they are on disk: plain, gzip or zstd. Owns unpacking them bit by bit, and noticing when one is cut off."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import IO

import zstandard

_PIECE = 64 * 1024


def opened(path: Path) -> tuple[IO[bytes], IO[bytes]]:
    """Open a file to be read unpacked; return it, and the packed file below, whose position tells the progress.

    Reading raises OSError or EOFError where the file is damaged or cut off.
    """
    packed = path.open("rb")
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=packed)), packed  # type: ignore[arg-type]
    if path.suffix == ".zst":
        return io.BufferedReader(_Zstd(packed), _PIECE), packed
    return packed, packed


class _Zstd(io.RawIOBase):
    """Unpacks frames of zstd. The library's own reader takes a file that is cut off for a whole one."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._unpacker = zstandard.ZstdDecompressor()
        self._frame = self._unpacker.decompressobj()
        self._begun = False
        self._ready = memoryview(b"")
        self._rest = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        """Fill the target with what comes next; nothing is left at the end. Raises OSError and EOFError."""
        while not self._ready:
            piece = self._rest or self._packed.read(_PIECE // 16)
            self._rest = b""
            if not piece:
                if self._begun:
                    raise EOFError("the file is cut off")
                return 0
            self._ready = memoryview(self._unpacked(piece))
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _unpacked(self, piece: bytes) -> bytes:
        self._begun = True
        try:
            found = self._frame.decompress(piece)
        except zstandard.ZstdError as error:
            raise OSError(str(error)) from error
        if self._frame.eof:
            self._rest = self._frame.unused_data
            self._frame = self._unpacker.decompressobj()
            self._begun = False
        return found
