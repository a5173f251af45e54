"""The work queues on the overview: what waits, how much money, since when, and who looks after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from config.kernel.queues import Queue
from config.platform.admin import cells, work_queues
from config.platform.admin.blocks import Block
from config.platform.models import QueueOwner
from config.platform.queries import work_queues as found_queues
from config.platform.queries.work_queues import Waiting

ORDER = (
    "not_billed", "sign_off", "parked", "drafts", "untaxed", "late_usage", "approvals", "quotes_to_approve",
    "quotes_expiring", "failed_orders", "failed_payments", "unallocated", "refunds", "disputes", "mail",
    "renewals_30", "renewals_60", "renewals_90", "books", "webhooks",
)  # fmt: skip
"""In the order of the work at the end of a month; a queue that is not named comes last."""

CHANGE = "platform.change_queueowner"


@dataclass(frozen=True)
class Line:
    """A queue in which something waits, as one person sees it."""

    queue: Queue
    url: str
    count: str
    amounts: tuple[str, ...]
    age: str
    since: str
    is_late: bool
    owner: str
    is_mine: bool
    owner_url: str


@dataclass(frozen=True)
class WorkQueues(Block):
    """What waits, line by line, and in one sentence where nothing does."""

    lines: tuple[Line, ...]
    idle: tuple[tuple[str, str], ...]
    owners_url: str = ""
    template: ClassVar[str] = "admin/overview/work_queues.html"


def blocks(request: HttpRequest, *, at: datetime) -> Sequence[Block]:
    """The queues whose lists the person may see, their own first. Three queries; none for whoever may see none."""
    queues = sorted(work_queues.visible(request), key=_place)
    if not queues:
        return ()
    owners = found_queues.owners()
    mine = _mine(request.user, owners)
    found = found_queues.counted(queues=queues, at=at)
    may_change = request.user.has_perm(CHANGE)
    lines = [_line(one, owners.get(one.queue.code), mine, at, may_change=may_change) for one in found if one.count]
    lines.sort(key=lambda line: not line.is_mine)
    idle = tuple((one.queue.label, work_queues.url(one)) for one in found if not one.count)
    owners_url = reverse("admin:platform_queueowner_changelist") if may_change else ""
    return (WorkQueues(tuple(lines), idle, owners_url),)


def age(since: datetime, *, at: datetime) -> str:
    """Say how long ago an instant was, or how far off it is, in the largest unit that tells it."""
    passed = at - since
    text = _length(abs(passed))
    if not text:
        return "just now"
    return f"{text} ago" if passed > timedelta(0) else f"in {text}"


def _length(span: timedelta) -> str:
    minutes = span // timedelta(minutes=1)
    for unit, count in (("day", minutes // 1440), ("hour", minutes // 60), ("minute", minutes)):
        if count:
            return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
    return ""


def _line(one: Waiting, owner: QueueOwner | None, mine: set[str], at: datetime, *, may_change: bool) -> Line:
    code = one.queue.code
    assign = f"{reverse('admin:platform_queueowner_assign')}?{urlencode({'code': code})}" if may_change else ""
    edit = reverse("admin:platform_queueowner_edit", args=[owner.pk]) if may_change and owner is not None else assign
    return Line(
        queue=one.queue,
        url=work_queues.url(one),
        count=f"{cells.number_text(one.count)}{'+' if one.is_bounded else ''}",
        amounts=tuple(cells.money_text(amount) for amount in one.amounts),
        age=_age(one, at),
        since=cells.instant_text(one.since) if one.since else "",
        is_late=one.queue.is_bad or _is_old(one, at),
        owner="" if owner is None else str(owner),
        is_mine=code in mine,
        owner_url=edit,
    )


def _age(one: Waiting, at: datetime) -> str:
    if one.since is None:
        return ""
    if not one.queue.is_deadline:
        return age(one.since, at=at)
    days = (one.since.date() - at.date()).days
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def _is_old(one: Waiting, at: datetime) -> bool:
    """Say whether something waits for more than a month, or has to happen within a day."""
    if one.since is None:
        return False
    return one.since <= at + timedelta(days=1) if one.queue.is_deadline else at - one.since > timedelta(days=30)


def _mine(user: User, owners: Mapping[str, QueueOwner]) -> set[str]:
    """The queues that a person owns, alone or with a role. One query where any is a role's."""
    roles = {row.role_id for row in owners.values() if row.role_id}
    held = set(user.groups.filter(pk__in=roles).values_list("pk", flat=True)) if roles else set()
    return {code for code, row in owners.items() if row.person_id == user.pk or row.role_id in held}


def _place(queue: Queue) -> int:
    return ORDER.index(queue.code) if queue.code in ORDER else len(ORDER)
