"""Asking for a second person in the admin: a verb that meets `ApprovalRequired` becomes a request with what was typed.

Owns how a verb, its form and its preview are kept, and how they are found again when somebody approves. What may be
asked and who decides is the service's. Views that are no verbs take part by a verb that is on no page: `register`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.http import QueryDict

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import approval_previews
from config.platform.admin.forms import VerbForm
from config.platform.models import ApprovalRequest
from config.platform.services import approvals
from config.platform.services.approvals import ApprovalRequired, NotYourDecision, Wish

_UNKEPT = frozenset({"csrfmiddlewaretoken", "weighed", "ids"})
_hidden: dict[tuple[str, str], Any] = {}


class NotDoable(errors.NotAllowed):
    """What was asked for is not there any more: its object, its verb, or a value that its form still takes."""


@dataclass(frozen=True)
class Prepared:
    """A request as it can be done now: its verb with the values, and what would come of it as plain values."""

    verb: Any
    instance: Any
    values: Mapping[str, Any]
    now: Sequence[Mapping[str, Any]]

    def perform(self, actor: Actor, at: datetime) -> Any:
        """Do it, with the verb's one service call. Raises DomainError, and NotYourDecision without the verb's right."""
        wanted = self.verb.permission
        if wanted and not User.objects.get(pk=actor.user_id).has_perm(wanted):
            raise NotYourDecision("right_missing", f"Whoever approves needs the right to do it: {self.verb.label}.")
        if self.instance is None:
            return self.verb.perform(values=self.values, actor=actor, at=at)
        self.verb.check(instance=self.instance, at=at)
        return self.verb.perform(instance=self.instance, values=self.values, actor=actor, at=at)


def register(model: str, verb: Any) -> None:
    """Let a verb of a model ("app.model") be asked for that stands on none of its pages."""
    _hidden[model, verb.name] = verb


def ask(
    *,
    model: type[models.Model],
    verb: Any,
    data: Any,
    values: Mapping[str, Any],
    instance: Any,
    refusal: ApprovalRequired,
    actor: Actor,
    at: datetime,
) -> ApprovalRequest:
    """Keep what a person wanted to do, as it was typed and shown. Raises AlreadyAsked."""
    wish = Wish(
        verb=verb.name,
        verb_label=verb.label,
        object_type=model._meta.label_lower,
        object_id=None if instance is None else instance.pk,
        object_label=verb.label if instance is None else str(instance),
        values={name: texts for name, texts in data.lists() if name not in _UNKEPT},
        shown=shown(verb=verb, instance=instance, values=values, actor=actor, at=at),
        reason=str(values.get("reason", "") or ""),
    )
    return approvals.ask(wish=wish, refusal=refusal, actor=actor, at=at)


def prepare(*, request: ApprovalRequest, actor: Actor, at: datetime) -> Prepared:
    """Return a request as it can be done now. Changes nothing. Raises DomainError where it cannot be done any more."""
    model = apps.get_model(request.object_type)
    verb = _verb(model, request)
    instance = None
    if request.object_id is not None:
        instance = model._default_manager.filter(pk=request.object_id).first()
        if instance is None:
            raise NotDoable("object_gone", f"{request.object_label} is not there any more.")
        verb.check(instance=instance, at=at)
    form = form_of(verb, instance, request, at)
    if not form.is_valid():
        words = [f"{name.replace('_', ' ')}: {text}" for name, texts in form.errors.items() for text in texts]
        raise NotDoable("values_outdated", f"What was typed does not fit any more. {' '.join(words)}")
    values = form.cleaned_data
    return Prepared(verb, instance, values, shown(verb=verb, instance=instance, values=values, actor=actor, at=at))


def shown(*, verb: Any, instance: Any, values: Mapping[str, Any], actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """What a verb would do with these values, as plain values. Raises DomainError where a preview refuses."""
    about = {} if instance is None else {"instance": instance}
    found = list(verb.preview(**about, at=at))
    if verb.weighs:
        with approvals.looking():
            found += verb.weigh(**about, values=values, actor=actor, at=at)
    return approval_previews.plain(found)


def form_of(verb: Any, instance: Any, request: ApprovalRequest, at: datetime) -> VerbForm:
    """The verb's form, filled in as it was sent."""
    data = QueryDict(mutable=True)
    for name, texts in request.values.items():
        data.setlist(name, texts)
    form: VerbForm = verb.form(data=data, at=at) if instance is None else verb.form(data=data, instance=instance, at=at)
    return form


def _verb(model: type[models.Model], request: ApprovalRequest) -> Any:
    model_admin: Any = admin.site._registry.get(model)
    known: tuple[Any, ...] = ()
    if model_admin is not None:
        bulk = (one.verb for one in model_admin.bulk_verbs)
        known = (*model_admin.list_verbs, *model_admin.verbs, *bulk)
    wants_object = request.object_id is not None
    for verb in known:
        if verb.name == request.verb and hasattr(verb, "possible") == wants_object:
            return verb
    verb = _hidden.get((request.object_type, request.verb))
    if verb is None:
        raise NotDoable("verb_gone", f"This version has no {request.verb_label!r} any more.")
    return verb
