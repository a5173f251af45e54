"""Texts of operations from the docstrings of their views. Owns where a summary ends and how the texts are marked up."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"(?<=[a-z0-9)`\]])[.;](?:\s|$)")
_COLON = re.compile(r":\s")
_CAPITAL = re.compile(r"(?=[A-Z])")
LEAST, MOST = 10, 90


def summary(docstring: str, operation_id: str) -> tuple[str, str]:
    """Return the first sentence without its full stop, of 10 to 90 characters, and the whole text in Markdown.

    A sentence that says too little gives way to the name of the operation, written as words.
    """
    text = docstring.replace("``", "`").strip()
    line = " ".join(text.split("\n\n")[0].split())
    first = _SENTENCE.split(line, maxsplit=1)[0]
    if len(first) > MOST:
        first = _COLON.split(first, maxsplit=1)[0]
    if len(first) > MOST and "," in first[:MOST]:
        first = first[: first[:MOST].rindex(",")]
    if len(first) > MOST:
        first = first[: first[:MOST].rindex(" ")] + " …"
    if len(first) < LEAST:
        words = _CAPITAL.split(operation_id)
        first = " ".join([words[0].capitalize(), *(word.lower() for word in words[1:])])
    return first.rstrip("."), text or first
