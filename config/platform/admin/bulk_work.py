"""One row of a bulk verb: check it, do it, ask for a second person where one is needed, and say what became of it.

Used by the page of ticked rows and by the worker that does all rows of a list. Owns no order and no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import approval_asking
from config.platform.admin.forms import VerbForm, told
from config.platform.models import ApprovalRequest, BulkRow, BulkRun
from config.platform.services import approvals, bulk_runs
from config.platform.services.bulk_runs import Performer, Result

Outcome = BulkRow.Outcome
_UNKEPT = frozenset({"csrfmiddlewaretoken", "_do", "ids", "counted"})


@dataclass(frozen=True)
class Done:
    """What became of a row; ``asked`` is the request for the second person that it needs."""

    outcome: str
    remark: str
    asked: ApprovalRequest | None = None


def kept(data: Any) -> dict[str, list[str]]:
    """What was typed, as an order keeps it."""
    return {name: texts for name, texts in data.lists() if name not in _UNKEPT}


def one(*, verb: Any, instance: Any, form: VerbForm, actor: Actor, at: datetime) -> Done:
    """Do the verb on one object, in a transaction of its own; a refusal is a result."""
    try:
        with transaction.atomic():
            verb.check(instance=instance, at=at)
            outcome = verb.perform(instance=instance, values=form.cleaned_data, actor=actor, at=at)
    except approvals.ApprovalRequired as refusal:
        return _asked(verb, instance, form, refusal, actor, at)
    except errors.DomainError as refusal:
        return Done(Outcome.REFUSED, told(refusal))
    return Done(Outcome.DONE, outcome.message)


def prepare(run: BulkRun) -> Performer:
    """Return what does a row of an order, for the person who ordered it as they are now.

    Somebody who may not do it any more has every row refused; so has a verb that this version does not have.
    """
    model = apps.get_model(run.object_type)
    verb = _verb(model, run.verb)
    form = None if verb is None else verb.form_class(_typed(run.values))
    person = User.objects.filter(pk=run.person_id, is_active=True, is_staff=True).first()
    actor = Actor("user", run.person_label, run.person_id, run.address, run.client)
    refusal = _refusal(verb, form, person)

    def perform(object_id: int, at: datetime) -> Result:
        instance = model._default_manager.filter(pk=object_id).first()
        if instance is None:
            return Result(Outcome.REFUSED, str(object_id), "It is not there any more.")
        if refusal:
            return Result(Outcome.REFUSED, str(instance), refusal)
        done = one(verb=verb, instance=instance, form=form, actor=actor, at=at)
        return Result(done.outcome, str(instance), done.remark)

    return perform


def _asked(
    verb: Any, instance: Any, form: VerbForm, refusal: approvals.ApprovalRequired, actor: Actor, at: datetime
) -> Done:
    try:
        row = approval_asking.ask(
            model=type(instance),
            verb=verb,
            data=form.data,
            values=form.cleaned_data,
            instance=instance,
            refusal=refusal,
            actor=actor,
            at=at,
        )
    except errors.DomainError as other:
        return Done(Outcome.REFUSED, told(other))
    words = f"Nothing was done yet: {' or '.join(refusal.needed.group_names)} has to approve it."
    return Done(Outcome.ASKED, words, row)


def _verb(model: Any, name: str) -> Any:
    model_admin: Any = admin.site._registry.get(model)
    known = () if model_admin is None else model_admin.bulk_verbs
    return next((bulk.verb for bulk in known if bulk.name == name), None)


def _typed(values: Mapping[str, list[str]]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, texts in values.items():
        data.setlist(name, texts)
    return data


def _refusal(verb: Any, form: VerbForm | None, person: User | None) -> str:
    if verb is None or form is None:
        return "This version cannot do it any more."
    if person is None or not person.has_perm(verb.permission):
        return "Whoever ordered it may not do it any more."
    return "" if form.is_valid() else "What was typed does not fit any more."


bulk_runs.performed_by(prepare)
