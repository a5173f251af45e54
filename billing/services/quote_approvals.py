"""What people say to versions that need a consent: approving and rejecting, by a second person of the group asked.

Owns who may decide and what comes of it. The database refuses too that somebody decides about what they submitted.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction

from billing.domain import quote_states
from billing.domain.quote_states import VersionVerb
from billing.models import QuoteApproval, QuoteVersion
from billing.services import quote_forms, quote_rows
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.models import AuditEntry
from config.platform.services import audit, tellings

State = QuoteApproval.State


class NotYours(errors.Forbidden):
    """The consent is somebody else's to give: of another group, or it is about one's own quote."""


@transaction.atomic
@tellings.gathered
def approve(*, approval_id: int, remark: str, actor: Actor, at: datetime) -> QuoteApproval:
    """Give one consent. With the last one the version is approved and its order form generated.

    Raises NotFound (`quote_approval_not_found`), NotYours, InvalidQuoteState, NotAllowed (`approval_is_decided`).
    """
    approval = _locked(approval_id)
    _demand_may(approval, actor)
    _decide(approval, State.APPROVED, remark, actor, at)
    _finish(approval.version, actor, at)
    return approval


@transaction.atomic
@tellings.gathered
def approve_all(*, version_id: int, remark: str, actor: Actor, at: datetime) -> QuoteVersion:
    """Give every open consent of a version that the actor may give; there has to be one. Raises as `approve`."""
    version = quote_rows.locked_version(version_id)
    quote_states.version_after(state=version.state, verb=VersionVerb.APPROVE)
    rows = db.lock(version.approvals.filter(state=State.PENDING))
    mine = []
    refused: NotYours | None = None
    for row in rows:
        row.version = version
        try:
            _demand_may(row, actor)
            mine.append(row)
        except NotYours as error:
            refused = error
    if not mine:
        raise refused or NotYours("not_in_the_group", "There is no consent for you to give.")
    for row in mine:
        _decide(row, State.APPROVED, remark, actor, at)
    return _finish(version, actor, at)


@transaction.atomic
@tellings.gathered
def reject(*, approval_id: int, remark: str, actor: Actor, at: datetime) -> QuoteApproval:
    """Refuse one consent: the version is voided with the reason, and another one can take its place.

    Raises as `approve`, and Invalid (`remark`) without a reason.
    """
    if not remark.strip():
        raise errors.Invalid("validation_errors", "Say why.", {"remark": ["value_is_mandatory"]})
    approval = _locked(approval_id)
    _demand_may(approval, actor)
    _decide(approval, State.REJECTED, remark, actor, at)
    quote_forms.void(version=approval.version, reason=f"Rejected: {remark}"[:255], actor=actor, at=at)
    return approval


def may_decide(*, approval: QuoteApproval, actor: Actor) -> bool:
    """Say whether the actor may give or refuse a consent that is open. Reads only."""
    try:
        _demand_may(approval, actor)
    except errors.DomainError:
        return False
    return approval.state == State.PENDING


def _locked(approval_id: int) -> QuoteApproval:
    version_id = QuoteApproval.objects.filter(pk=approval_id).values_list("version_id", flat=True).first()
    if version_id is None:
        raise errors.NotFound("quote_approval_not_found", "There is no such approval.")
    version = quote_rows.locked_version(version_id)
    approval = db.lock_one(QuoteApproval.objects.select_related("group").filter(pk=approval_id))
    approval.version = version
    if approval.state != State.PENDING:
        raise errors.NotAllowed("approval_is_decided", f"The approval is {approval.get_state_display()} already.")
    quote_states.version_after(state=version.state, verb=VersionVerb.APPROVE)
    return approval


def _demand_may(approval: QuoteApproval, actor: Actor) -> None:
    """Demand a person of the group (or a superuser) who neither made nor submitted what is to be approved."""
    person_id = quote_rows.person_of(actor)
    people = get_user_model()._default_manager
    person = None if person_id is None else people.filter(pk=person_id, is_active=True).first()
    if person is None:
        raise NotYours("person_needed", "A consent is given by a person.")
    version = approval.version
    if person.pk in _authors(version):
        raise NotYours("own_quote", "Nobody approves a quote of their own.")
    if not (person.is_superuser or person.groups.filter(pk=approval.group_id).exists()):
        raise NotYours("not_in_the_group", f"This is for somebody of {approval.group}.")


def _authors(version: QuoteVersion) -> set[int]:
    """Return who made the quote, submitted this version, or wrote it or another one: a copy keeps what they wrote.

    What was done by a key counts as done by everybody who knew its secret.
    """
    quote = version.quote
    made = AuditEntry.objects.filter(
        object_type=quote._meta.label_lower, object_id=quote.pk, verb="create", user_id__isnull=False
    )
    wrote = AuditEntry.objects.filter(
        object_type=version._meta.label_lower,
        object_id__in=list(quote.versions.values_list("pk", flat=True)),
        verb__in=("change", "clone", "submit"),
        user_id__isnull=False,
    )
    found = {row for rows in (made, wrote) for row in rows.values_list("user_id", flat=True) if row is not None}
    return found | ({version.submitted_by_id} - {None}) | set(version.behind)


def _decide(approval: QuoteApproval, state: str, remark: str, actor: Actor, at: datetime) -> None:
    approval.state, approval.remark = state, remark
    approval.decided_by_id, approval.decided_at = actor.user_id, at
    approval.save(update_fields=["state", "remark", "decided_by", "decided_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="approve" if state == State.APPROVED else "reject",
        instance=approval.version,
        new={"approval": approval.cause, "group": str(approval.group), "state": state},
        reason=remark,
    )


def _finish(version: QuoteVersion, actor: Actor, at: datetime) -> QuoteVersion:
    if not version.approvals.filter(state=State.PENDING).exists():
        quote_forms.approve(version=version, actor=actor, at=at)
    return version
