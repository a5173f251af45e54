"""Progress bars on a terminal. Where there is none, as in a log of a build server, they stay silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

_FORMAT = "  {desc:<24}{bar:28} {n_fmt:>6} of {total_fmt:<6} {elapsed}"


@contextmanager
def bar(label: str, total: int) -> Iterator[tqdm]:
    """Show a bar while the block runs. An empty piece of work shows none."""
    with tqdm(total=total, desc=label, bar_format=_FORMAT, disable=None if total else True) as shown:
        yield shown
