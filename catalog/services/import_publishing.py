"""How imported prices come into force: the choice for a whole file, and what it means. Owns no writing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.utils import timezone

from catalog.domain import publications
from catalog.domain.publications import Publication
from catalog.services import approval_actions
from config.kernel import dates
from config.platform.services import approvals, import_kinds
from config.platform.services.import_kinds import ImportOption, Task

OPTIONS = (
    ImportOption(
        "follows",
        "Who gets the new prices",
        (("kept", "who buys from then on; subscriptions keep theirs"), ("followed", "everybody who has the plan, now")),
        "Plans in use get a new version; what was bought is never edited.",
    ),
    ImportOption("sold_from", "Sold from", help="Empty: from now on. Only for who buys from then on."),
)


def publication(options: Mapping[str, str], *, at: datetime) -> Publication:
    """Return what was chosen; days are of the installation's time zone. Raises InvalidMoment, RowRefused."""
    chosen = options.get("sold_from", "")
    if options.get("follows") == "followed":
        if chosen:
            raise import_kinds.refused("follows", "Prices that begin later are for who buys from then on.")
        return publications.FOLLOWED
    zone = dates.zone(timezone.get_current_timezone_name())
    if not chosen or date.fromisoformat(chosen) == dates.local_date(at, zone):
        return publications.KEPT
    return publications.sold_from(dates.start_of_day(date.fromisoformat(chosen), zone), at=at, timezone=zone)


def demand_second(task: Task) -> None:
    """Ask for the second person that publishing prices needs, if rules say so. Raises ApprovalRequired."""
    approvals.demand(action=approval_actions.PUBLISH_PRICES, amount=None, actor=task.actor)
