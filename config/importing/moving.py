"""The import itself: all kinds of things in the order in which they need each other, each thing in a transaction of its
own. Owns that order, that a second run goes on where the first one stopped, and that a dry run keeps nothing.

There is no list of what was done: a thing that is here, by its id or by its natural key, is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from django.db import DataError, IntegrityError, connection, transaction

from config.importing import comparing, left_behind
from config.importing.catalogue import ADD_ONS, COUPONS, FEATURES, METRICS, TAXES
from config.importing.house import Refused
from config.importing.kinds import Journey, Kind, Row
from config.importing.parties import APPLIED_COUPONS, CUSTOMERS, SELLERS
from config.importing.plans import PLANS
from config.importing.report import Refusal, Report, Tally
from config.importing.source import Unreadable
from config.importing.subscriptions import SUBSCRIPTIONS
from config.importing.wallets import WALLETS
from config.kernel import db, errors
from config.platform.services import outbox

KINDS: tuple[Kind, ...] = (
    TAXES,
    SELLERS,
    ADD_ONS,
    METRICS,
    FEATURES,
    PLANS,
    COUPONS,
    CUSTOMERS,
    APPLIED_COUPONS,
    SUBSCRIPTIONS,
    WALLETS,
)
"""In the order in which they need each other."""

NAMES = tuple(kind.name for kind in KINDS)
_LOCK = "import_lago"


class Shown(Protocol):
    """Where somebody sees how far it is."""

    def __call__(self, name: str, rows: Iterator[Row]) -> Iterator[Row]: ...


class _Undone(Exception):
    """Takes back what a dry run wrote."""


def run(
    *, journey: Journey, only: Collection[str] = (), is_dry: bool = False, shown: Shown = lambda _, rows: rows
) -> Report:
    """Bring everything over, or what ``only`` names, and return what came of it.

    Each thing is a transaction; what is refused stops nothing else. When the other side cannot be read any more the
    report says so, and what was brought over stays. Webhooks are not told. Idempotent.
    """
    report = Report(is_dry=is_dry)
    try:
        with _everything(is_dry=is_dry), outbox.silence():
            for kind in KINDS:
                if not only or kind.name in only:
                    _bring(journey, kind, report.of(kind.name), shown)
                    if kind.name == "customers":
                        report.of(kind.name).remarks.extend(left_behind.remarks(journey.lago))
            if is_dry:
                raise _Undone
    except _Undone:
        pass
    except Unreadable as stop:
        report.stopped = str(stop)
    return report


@contextmanager
def _everything(*, is_dry: bool) -> Iterator[None]:
    if not is_dry:
        yield
        return
    with transaction.atomic():
        yield


def _bring(journey: Journey, kind: Kind, tally: Tally, shown: Shown) -> None:
    for theirs in shown(kind.name, kind.read(journey)):
        tally.read += 1
        label = kind.label(theirs)
        journey.remark = _remarks(tally, label)
        try:
            ours = _one(journey, kind, theirs, tally)
        except Refused as refusal:
            tally.refused.append(Refusal(label, refusal.code, refusal.details))
        except errors.DomainError as error:
            tally.refused.append(Refusal(label, error.code, dict(error.details or {"base": [error.message]})))
        except (DataError, IntegrityError) as error:
            tally.refused.append(Refusal(label, "value_is_invalid", {"base": [type(error).__name__]}))
        except (KeyError, TypeError, ValueError) as error:
            tally.refused.append(Refusal(label, "not_understood", {"base": [f"{type(error).__name__}: {error}"]}))
        else:
            if ours:
                tally.differs += [(label, one) for one in comparing.differences(theirs, ours, but=kind.but)]


def _one(journey: Journey, kind: Kind, theirs: Row, tally: Tally) -> Row:
    """Bring one thing over unless it is here, alone: two imports at once wait for each other."""
    with transaction.atomic():
        db.advisory_lock(_LOCK)
        found = kind.find(journey, theirs)
        if found is None:
            made = kind.make(journey, theirs)
            connection.check_constraints()  # also those that a dry run would never come to
    if found is not None:
        tally.there += 1
        return found
    tally.made += 1
    return made


def _remarks(tally: Tally, label: str) -> Callable[[str], Any]:
    return lambda text: tally.remarks.append(f"{label}: {text}")
