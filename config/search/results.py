"""What a search found, as a person sees it: what it is, whose, how it stands and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Result:
    """One thing that was found. ``state`` is a badge, ``money`` text with its currency; both may be empty."""

    kind: str
    title: str
    about: str
    url: str
    icon: str
    state: SafeString | str = ""
    money: str = ""
