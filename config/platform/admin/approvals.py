"""Approvals in the admin: what waits for a second person, and what became of it. Deciding is the verbs' next door."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator
from moneyed import Money

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import acting, approval_asking, approval_previews, cells, filters, history, pages, theme
from config.platform.admin.approval_verbs import Approve, Close, Reject, Withdraw, may_decide
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.admin.forms import told
from config.platform.models import ApprovalRequest
from config.platform.queries import approvals as known
from config.platform.services import approval_actions

Status = ApprovalRequest.Status

_TONES = {
    Status.WAITING: Tone.WARN,
    Status.APPROVED: Tone.GOOD,
    Status.REJECTED: Tone.BAD,
    Status.WITHDRAWN: Tone.NEUTRAL,
    Status.FAILED: Tone.BAD,
}


_NAMED = 10


class WhoseFilter(theme.DropdownFilter):
    """Whose requests: those that wait for the person, or that the person made."""

    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two that matter."""
        return [("for_me", "Waiting for me"), ("mine", "Asked by me")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApprovalRequest]) -> QuerySet[ApprovalRequest]:
        """Narrow to them."""
        if self.value() == "for_me":
            return queryset.filter(pk__in=known.waiting_for(request.user).values("pk"))
        return queryset.filter(asked_by_id=request.user.pk) if self.value() == "mine" else queryset


class ActionFilter(theme.DropdownFilter):
    """Requests for one action."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All that may need a second person."""
        return [(action.code, action.label) for action in approval_actions.every().values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApprovalRequest]) -> QuerySet[ApprovalRequest]:
        """Narrow to the action."""
        return queryset.filter(action=self.value()) if self.value() else queryset


@pages.register(ApprovalRequest)
class ApprovalRequestAdmin(pages.PageAdmin):
    """What waits for a second person, and what became of it."""

    list_display = ("what", "about", "amount_shown", "asked", "of", "state", "decided")
    list_filter = (
        WhoseFilter,
        ("status", theme.ChoicesDropdownFilter),
        ActionFilter,
        ("asked_at", filters.DayRangeFilter),
    )
    list_select_related = ("asked_by", "decided_by")
    search_fields = ("object_label", "reason", "remark", "asked_by__username", "decided_by__username")
    search_help_text = "Object, reason or person"
    ordering = ("-asked_at", "-id")
    verbs = (Approve(), Reject(), Withdraw(), Close())
    rows_name = "requests"
    empty_title = "Nothing waits for approval"
    empty_text = (
        "What needs a second person is said by approval rules. Without a rule everybody does alone what they have the "
        "right to."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalRequest]:
        """Requests with the groups that may decide them."""
        return super().get_queryset(request).prefetch_related("groups")

    @theme.display(description="What")
    def what(self, row: ApprovalRequest) -> str:
        """What is to be done."""
        return cells.stack(row.verb_label, Truncator(row.reason).words(12))

    @theme.display(description="To what")
    def about(self, row: ApprovalRequest) -> str:
        """The object."""
        return cells.stack(cells.nowrap(row.object_label), history.kind_of(row.object_type))

    @theme.display(description="Amount")
    def amount_shown(self, row: ApprovalRequest) -> str:
        """How much it is about."""
        return cells.money(row.money)

    @theme.display(description="Asked", ordering="asked_at")
    def asked(self, row: ApprovalRequest) -> str:
        """By whom and when."""
        return cells.stack(name(row.asked_by), cells.instant(row.asked_at))

    @theme.display(description="Of")
    def of(self, row: ApprovalRequest) -> str:
        """Who may decide."""
        return groups(row)

    @theme.display(description="State", ordering="status")
    def state(self, row: ApprovalRequest) -> str:
        """Where it is."""
        return badge(row)

    @theme.display(description="Decided", ordering="decided_at")
    def decided(self, row: ApprovalRequest) -> str:
        """By whom and when."""
        if row.decided_by is None:
            return cells.EMPTY
        return cells.stack(name(row.decided_by), cells.instant(row.decided_at))

    def page(self, request: HttpRequest, instance: ApprovalRequest) -> Page:
        """What was asked, and what it would do now beside what it would have done then."""
        top: list[Block] = [*whose_turn(instance, acting.actor(request)), Facts("Request", facts(instance))]
        tabs = [
            Tab("Request", (*compared(request, instance), history.recent(instance, self.url("history", instance.pk))))
        ]
        return Page(top=tuple(top), tabs=tuple(tabs))


def facts(row: ApprovalRequest) -> tuple[Fact, ...]:
    """What a request says of itself."""
    amount = row.money
    found = [
        Fact("What", row.verb_label),
        Fact("To what", subject(row)),
        Fact("State", badge(row)),
        Fact("Asked by", cells.stack(name(row.asked_by), cells.instant(row.asked_at))),
        Fact("May decide", groups(row)),
        Fact("Why", row.reason or cells.EMPTY),
    ]
    if amount is not None:
        found.insert(2, Fact("Amount", cells.money_text(amount)))
        if row.total is not None and row.total > amount.amount:
            total = Money(row.total, row.currency)
            found.insert(3, Fact("With what was before", cells.money_text(total)))
    if row.decided_by is not None:
        found.append(Fact("Decided by", cells.stack(name(row.decided_by), cells.instant(row.decided_at))))
        found.append(Fact("Remark", row.remark or cells.EMPTY))
    return tuple(found)


def whose_turn(row: ApprovalRequest, actor: Actor) -> tuple[Block, ...]:
    """Who may decide what waits, for whoever may not: whoever asked, and whoever is not among those that were asked."""
    if row.status != Status.WAITING or may_decide(row, actor):
        return ()
    permissions = ("platform.decide_approvalrequest", approval_actions.one(row.action).permission)
    group_ids = [group.pk for group in row.groups.all()]
    found = list(known.people(group_ids=group_ids, permissions=permissions).exclude(pk=row.asked_by_id)[: _NAMED + 1])
    names = ", ".join(name(person) for person in found[:_NAMED]) + (" and others" if len(found) > _NAMED else "")
    own = "You asked for this, so somebody else decides. " if row.asked_by_id == actor.user_id else ""
    if not found:
        words = f"{own}Nobody can at the moment: it takes another one of {groups(row)}, with the right of the action."
        return (Note(words, Tone.BAD),)
    return (Note(f"{own}It waits for {groups(row)}. Who may approve it: {names}.", Tone.INFO),)


def compared(request: HttpRequest, row: ApprovalRequest) -> tuple[Block, ...]:
    """What was shown when it was asked, beside what it would do now; alone once it is decided."""
    if row.status != Status.WAITING:
        return approval_previews.alone(row.shown)
    try:
        found = approval_asking.prepare(request=row, actor=acting.actor(request), at=timezone.now())
    except errors.DomainError as refusal:
        words = f"It cannot be done any more: {told(refusal)} Close the request, or withdraw it."
        return (Note(words, Tone.BAD), *approval_previews.alone(row.shown))
    blocks: list[Block] = []
    if approval_previews.digest(found.now) != approval_previews.digest(row.shown):
        blocks.append(Note("It is not as it was when it was asked: see what changed before you approve it.", Tone.WARN))
    return (*blocks, *approval_previews.beside(row.shown, found.now))


def subject(row: ApprovalRequest) -> str:
    """The object, as a link to its page where it has one."""
    return history.subject(row.object_type, row.object_id, row.object_label)


def groups(row: ApprovalRequest) -> str:
    """The groups whose people may decide."""
    return ", ".join(sorted(group.name for group in row.groups.all())) or cells.EMPTY


def badge(row: ApprovalRequest) -> str:
    """The state in its colour."""
    return cells.badge(row.get_status_display(), _TONES[Status(row.status)])


def name(user: Any) -> str:
    """What a person is called."""
    return user.get_full_name() or user.get_username()
