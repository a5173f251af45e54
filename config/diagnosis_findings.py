"""A finding of `manage.py doctor`: one line of its report. Owns what counts as healthy."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the report. `advice` says what to do, and is empty where all is well.

    Advice on something that is `ok` is a hint: worth a look, and no fault.
    """

    name: str
    ok: bool
    text: str
    advice: str = ""


def healthy(findings: Sequence[Finding]) -> bool:
    """Say whether nothing has to be done."""
    return all(finding.ok for finding in findings)
