"""Verbs of the admin: one thing that can be done, with its own address, its own right and one service call.

Looking changes nothing: GET shows what would happen, with a form where something has to be said; only POST does it, and
then exactly once. Whoever lacks the right gets 403, and a state that refuses is told before and after. The buttons of a
page show the verbs that the person may use and the state allows.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import acting, approval_asking, approval_notes, cells, theme
from config.platform.admin.blocks import Block, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm, told
from config.platform.services import approvals

TEMPLATE = "admin/platform/verb.html"
WEIGHED_AGAIN = "Nothing was done yet: what you chose changed after this was shown. This is what would happen now."


@dataclass(frozen=True)
class Outcome:
    """What was done, for the person who did it, and where to go from there (default: the object, or its list)."""

    message: str
    url: str = ""
    blocks: tuple[Block, ...] = ()


class Verb:
    """What object and list verbs share. ``explanation`` says in a sentence or two what will happen.

    ``action`` is what it does of that which may need a second person: its page then says beforehand who approves it.
    """

    name = ""
    label = ""
    icon = "play_arrow"
    variant = theme.ActionVariant.DEFAULT
    permission = ""
    explanation = ""
    confirm = ""
    form_class: type[VerbForm] = VerbForm
    action = ""

    def measured(self, *, instance: Any, values: Mapping[str, Any] | None) -> Money | None:
        """The amount that limits are compared with, as far as it is known; ``values`` are none of a fresh form."""
        return None

    def second_person(
        self, *, instance: Any, values: Mapping[str, Any] | None, actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """Who has to approve it first, if anybody; told on its page alone, and not kept with a request."""
        if not self.action:
            return ()
        return approval_notes.of(action=self.action, amount=self.measured(instance=instance, values=values))

    def may(self, request: HttpRequest) -> bool:
        """Say whether the person has the right."""
        return request.user.has_perm(self.permission)

    @property
    def button(self) -> str:
        """What the button that does it says."""
        return self.confirm or self.label


class ListVerb(Verb):
    """A verb of no object yet, such as making one or starting a run. An address may fill in fields of its form.

    One that ``weighs`` shows what the values chosen would do before it does it, as that of an object may.
    """

    weighs = False
    weigh_label = "Show what would happen"

    def form(self, *, data: Any, at: datetime) -> VerbForm:
        """The form, filled in or fresh."""
        return self.form_class(data, initial=self.initial(at=at))

    def initial(self, *, at: datetime) -> Mapping[str, Any]:
        """What the fresh form proposes."""
        return {}

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """What would happen now."""
        return ()

    def weigh(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What would happen with the values chosen. Raises DomainError."""
        return ()

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Do it, with one service call. Raises DomainError."""
        raise AssertionError(f"{type(self).__name__} does nothing")


class ObjectVerb(Verb):
    """A verb of one object.

    One that ``weighs`` shows what the values chosen would do before it does it: the button is pressed twice, and only
    the second time, with the same values, does anything.
    """

    weighs = False
    weigh_label = "Show what would happen"

    def title(self, *, instance: Any) -> str:
        """What its button on the object's page says: the label, unless the object's past makes it another."""
        return self.label

    def check(self, *, instance: Any, at: datetime) -> None:
        """Ask the domain whether the state allows it. Raises DomainError where it does not."""

    def form(self, *, data: Any, instance: Any, at: datetime) -> VerbForm:
        """The form, filled in or fresh."""
        return self.form_class(data, initial=self.initial(instance=instance, at=at))

    def initial(self, *, instance: Any, at: datetime) -> Mapping[str, Any]:
        """What the fresh form proposes."""
        return {}

    def preview(self, *, instance: Any, at: datetime) -> Sequence[Block]:
        """What would happen now."""
        return ()

    def weigh(self, *, instance: Any, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What would happen with the values chosen. Raises DomainError."""
        return ()

    def perform(self, *, instance: Any, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Do it, with one service call. Raises DomainError."""
        raise AssertionError(f"{type(self).__name__} does nothing")

    def possible(self, *, instance: Any, at: datetime) -> bool:
        """Say whether the state allows it."""
        try:
            self.check(instance=instance, at=at)
        except errors.DomainError:
            return False
        return True

    def offered(self, request: HttpRequest, instance: Any, *, at: datetime) -> bool:
        """Say whether its button stands for this person. Whoever sends the form all the same meets the service."""
        return self.possible(instance=instance, at=at)


def list_view(model_admin: Any, verb: ListVerb, request: HttpRequest) -> HttpResponse:
    """Show a list verb (GET) or do it (POST)."""
    _require(request, verb, model_admin)
    at = timezone.now()
    form = verb.form(data=request.POST if request.method == "POST" else None, at=at)
    form.files = request.FILES
    form.initial = {**form.initial, **{name: text for name, text in request.GET.items() if name in form.fields}}
    if request.method == "POST" and form.is_valid():
        if verb.weighs and request.POST.get("weighed") != (weighed := _weighed(form)):
            weigh = functools.partial(verb.weigh, values=form.cleaned_data, actor=acting.actor(request), at=at)
            return _weighing(request, model_admin, verb, form, None, weighed, weigh)
        try:
            outcome = verb.perform(values=form.cleaned_data, actor=acting.actor(request), at=at)
        except approvals.ApprovalRequired as refusal:
            if (asked := _asked_for(request, model_admin, verb, form, None, refusal, at)) is not None:
                return asked
        except errors.DomainError as refusal:
            form.refuse(refusal)
        else:
            return _done(request, model_admin, verb, outcome, _list_url(model_admin))
    preview = _previewed(functools.partial(verb.preview, at=at))
    button = verb.weigh_label if verb.weighs else ""
    return _asked(request, model_admin, verb, form, preview, None, button=button)


def object_view(model_admin: Any, verb: ObjectVerb, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show an object's verb (GET) or do it (POST). A state that refuses leads back to the object with the reason."""
    _require(request, verb, model_admin)
    instance = model_admin.get_object(request, unquote(object_id))
    if instance is None:
        return model_admin.missing(request, object_id)
    at = timezone.now()
    back = object_url(model_admin, instance)
    try:
        verb.check(instance=instance, at=at)
    except errors.DomainError as refusal:
        messages.warning(request, told(refusal))
        return HttpResponseRedirect(back)
    form = verb.form(data=request.POST if request.method == "POST" else None, instance=instance, at=at)
    form.files = request.FILES
    if request.method == "POST" and form.is_valid():
        if verb.weighs and request.POST.get("weighed") != (weighed := _weighed(form)):
            weigh = functools.partial(
                verb.weigh, instance=instance, values=form.cleaned_data, actor=acting.actor(request), at=at
            )
            return _weighing(request, model_admin, verb, form, instance, weighed, weigh)
        try:
            outcome = verb.perform(instance=instance, values=form.cleaned_data, actor=acting.actor(request), at=at)
        except approvals.ApprovalRequired as refusal:
            if (asked := _asked_for(request, model_admin, verb, form, instance, refusal, at)) is not None:
                return asked
        except errors.DomainError as refusal:
            form.refuse(refusal)
        else:
            return _done(request, model_admin, verb, outcome, back)
    preview = _previewed(functools.partial(verb.preview, instance=instance, at=at))
    button = verb.weigh_label if verb.weighs else ""
    return _asked(request, model_admin, verb, form, preview, instance, button=button)


def _weighing(
    request: HttpRequest,
    model_admin: Any,
    verb: ObjectVerb | ListVerb,
    form: VerbForm,
    instance: Any,
    weighed: str,
    weigh: Callable[[], Sequence[Block]],
) -> HttpResponse:
    """Show what the values chosen would do; the button does it if they stay as they are, and says why if not."""
    try:
        with approvals.looking():
            blocks = form.keep(weigh())
    except errors.DomainError as refusal:
        form.refuse(refusal)
        return _asked(request, model_admin, verb, form, (), instance, button=verb.weigh_label)
    if request.POST.get("weighed"):
        blocks = [Note(WEIGHED_AGAIN, Tone.WARN), *blocks]
    return _asked(request, model_admin, verb, form, blocks, instance, weighed=weighed)


def _asked_for(
    request: HttpRequest,
    model_admin: Any,
    verb: ObjectVerb | ListVerb,
    form: VerbForm,
    instance: Any,
    refusal: approvals.ApprovalRequired,
    at: datetime,
) -> HttpResponse | None:
    """Ask for the second person that it needs, and say so; None where that is refused, which the form then says.

    What is kept of a form is text: a file could not be what is done then.
    """
    if any(form.files.values()):
        form.refuse(errors.NotAllowed("file_not_kept", f"{refusal.message} Files cannot wait: send it without one."))
        return None
    try:
        row = approval_asking.ask(
            model=model_admin.model,
            verb=verb,
            data=form.data,
            values=form.cleaned_data,
            instance=instance,
            refusal=refusal,
            actor=acting.actor(request),
            at=at,
        )
    except errors.DomainError as other:
        form.refuse(other)
        return None
    messages.warning(request, asked_words(refusal))
    may_look = request.user.has_perm("platform.view_approvalrequest")
    back = _list_url(model_admin) if instance is None else object_url(model_admin, instance)
    return HttpResponseRedirect(cells.page_url(row) if may_look else back)


def asked_words(refusal: approvals.ApprovalRequired) -> str:
    """What a person is told whose action waits for a second person."""
    groups = " or ".join(refusal.needed.group_names)
    return f"Nothing was done yet: somebody else of {groups} has to approve it. The request waits for them."


def _weighed(form: VerbForm) -> str:
    """Return what tells the values of a form that were weighed from others; the words for the record are not."""
    names = sorted(name for name in form.fields if not form.is_unweighed(name))
    values = {name: form.data.getlist(form.add_prefix(name)) for name in names}
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def object_buttons(model_admin: Any, request: HttpRequest, instance: models.Model) -> list[dict[str, Any]]:
    """The buttons of the verbs that this person may use on this object as it is now."""
    at = timezone.now()
    usable = [verb for verb in model_admin.verbs if verb.may(request) and verb.offered(request, instance, at=at)]
    return [_button(verb, model_admin.url(verb.name, instance.pk), verb.title(instance=instance)) for verb in usable]


def list_buttons(model_admin: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """The buttons of the list verbs that this person may use."""
    usable = [verb for verb in model_admin.list_verbs if verb.may(request)]
    return [_button(verb, model_admin.url(verb.name), verb.label) for verb in usable]


def link(title: str, url: str, icon: str) -> dict[str, Any]:
    """A button that only leads somewhere."""
    return {"title": title, "path": url, "icon": icon, "variant": theme.ActionVariant.DEFAULT, "attrs": {}}


def object_url(model_admin: Any, instance: models.Model) -> str:
    """The address of an object's page."""
    return model_admin.url("change", instance.pk)


def _button(verb: Verb, url: str, title: str) -> dict[str, Any]:
    return {"title": title, "path": url, "icon": verb.icon, "variant": verb.variant, "attrs": {}, "name": verb.name}


def _require(request: HttpRequest, verb: Verb, model_admin: Any) -> None:
    if not verb.may(request) or not model_admin.has_view_permission(request):
        raise PermissionDenied


def _list_url(model_admin: Any) -> str:
    return model_admin.url("changelist")


def _previewed(preview: Callable[[], Sequence[Block]]) -> Sequence[Block]:
    try:
        return preview()
    except errors.DomainError as refusal:
        return (Note(told(refusal), Tone.WARN),)


def _done(request: HttpRequest, model_admin: Any, verb: Verb, outcome: Outcome, back: str) -> HttpResponse:
    if outcome.blocks:  # something to read once, such as a new key: it must not be in a message or an address
        response = _page(request, model_admin, verb, None, {"blocks": outcome.blocks, "done": outcome, "back": back})
        response["Cache-Control"] = "no-store"
        return response
    messages.success(request, outcome.message)
    return HttpResponseRedirect(outcome.url or back)


def _asked(
    request: HttpRequest,
    model_admin: Any,
    verb: Verb,
    form: forms.Form,
    preview: Sequence[Block],
    instance: models.Model | None,
    **extra: str,
) -> HttpResponse:
    back = _list_url(model_admin) if instance is None else object_url(model_admin, instance)
    values = form.cleaned_data if form.is_bound and not form.errors else None
    tell = functools.partial(
        verb.second_person, instance=instance, values=values, actor=acting.actor(request), at=timezone.now()
    )
    blocks = (*_previewed(tell), *preview)
    return _page(request, model_admin, verb, instance, {"form": form, "blocks": blocks, "back": back, **extra})


def _page(
    request: HttpRequest, model_admin: Any, verb: Verb, instance: models.Model | None, extra: Mapping[str, Any]
) -> TemplateResponse:
    request.current_app = model_admin.admin_site.name
    form = extra.get("form")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": verb.label,
        "subtitle": None if instance is None else str(instance),
        "opts": model_admin.opts,
        "original": instance,
        "verb": verb,
        "is_danger": verb.variant is theme.ActionVariant.DANGER,
        "media": form_media(form),
        **extra,
    }
    return TemplateResponse(request, TEMPLATE, context)


def form_media(form: forms.Form | None) -> forms.Media:
    """The scripts that a form's widgets need; Django's calendar needs its core beside it."""
    if form is None:
        return forms.Media()
    return forms.Media(js=["admin/js/core.js"]) + form.media


def changelist_url(model: type[models.Model]) -> str:
    """The address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
