"""The admin of a model: a list that stays quick, a page that only shows, a history, and verbs that do things.

Nothing is edited in place. What Django's admin does by forms of the model is done here by verbs, which call services;
so there is one way to change something, and the audit trail has all of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from config.kernel import queues, registry
from config.platform.admin import blocks, bulk, filter_bar, headers, history, paginators, queue_filter, theme, verbs
from config.platform.admin import ways as leading
from config.platform.admin.blocks import Page
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.verbs import ListVerb, ObjectVerb
from config.platform.queries import saved_filters

TEMPLATE = "admin/platform/page.html"
LIST_TEMPLATE = "admin/platform/list.html"


class PageAdmin(theme.ModelAdmin):
    """Base of all admins of our own models.

    ``verbs``, ``list_verbs`` and ``bulk_verbs`` are what can be done, and ``ways`` lead to what is done elsewhere for
    an object. ``prominent`` names those that stand as buttons in the page's header, the most important first, and
    ``menu`` the groups of the others (see `headers`). ``panels`` is the name under which other apps register panels
    for the page, and with ``.banner`` what stands above all else; ``empty_text`` says what to do while the list is
    empty. Subclasses give ``page`` and the usual list options.
    """

    verbs: tuple[ObjectVerb, ...] = ()
    prominent: tuple[str, ...] = ()
    ways: tuple[leading.Way, ...] = ()
    menu: headers.Groups = ()
    list_verbs: tuple[ListVerb, ...] = ()
    bulk_verbs: tuple[BulkVerb, ...] = ()
    panels = ""
    rows_name = ""
    empty_title = ""
    empty_text = ""

    paginator = paginators.KeyedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    show_facets = admin.ShowFacets.NEVER  # they count everything, filter by filter
    list_fullwidth = True
    change_list_template = LIST_TEMPLATE
    view_on_site = False
    actions: Sequence[Any] = ()

    def page(self, request: HttpRequest, instance: Any) -> Page:
        """What the object's page shows."""
        return Page()

    def links(self, request: HttpRequest, instance: Any) -> Sequence[dict[str, Any]]:
        """Further buttons of the object's page that only lead somewhere, as `verbs.link` makes them."""
        return ()

    def list_links(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """Further buttons of the list that only lead somewhere."""
        return ()

    # --- Rights: Django's own forms are never used -----------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds by a form of the model; there may be a verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits by a form of the model; there may be a verb."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes by a form of the model; there may be a verb."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may view or change the model may look."""
        label = self.opts.app_label
        name = self.opts.model_name
        return request.user.has_perm(f"{label}.view_{name}") or request.user.has_perm(f"{label}.change_{name}")

    # --- Addresses -------------------------------------------------------------------------------------------------

    def url(self, name: str, *args: Any) -> str:
        """The address of one of this admin's pages: changelist, change, history, or a verb."""
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def get_urls(self) -> list[URLPattern]:
        """The list, the verbs, further views, the history and the page of an object."""
        found = [self._path("", self.changelist_view, "changelist")]
        found += [self._path(f"{verb.name}/", self._view(verbs.list_view, verb), verb.name) for verb in self.list_verbs]
        found += [
            self._path(f"bulk/{verb.name}/", self._view(bulk.view, verb), f"bulk_{verb.name}")
            for verb in self.bulk_verbs
        ]
        found += [
            self._path(f"<path:object_id>/{verb.name}/", self._view(verbs.object_view, verb), verb.name)
            for verb in self.verbs
        ]
        found += [self._path(route, view, name) for route, view, name in self.further_views()]
        found.append(self._path("<path:object_id>/history/", self.history_view, "history"))
        found.append(self._path("<path:object_id>/change/", self.change_view, "change"))
        return found

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """Views of this admin's own: route, view and name. They must ask for their rights themselves."""
        return ()

    def _path(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        full = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        return path(route, self.admin_site.admin_view(view), name=full)

    def _view(self, view: Callable[..., HttpResponse], verb: Any) -> Callable[..., HttpResponse]:
        allowed = require_http_methods(["GET", "HEAD", "POST"])
        return allowed(functools.partial(_swapped, view, self, verb))

    # --- The list --------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[paginators.QuietChangeList]:
        """A list that does not count everything."""
        return paginators.QuietChangeList

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """The filters of the list; where it has work queues, they are the first."""
        found = super().get_list_filter(request)
        return (queue_filter.QueueFilter, *found) if queues.of_model(self.opts.label_lower) else found

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The bulk verbs that the person may use: choosing one leads to its page, and changes nothing yet."""
        usable = [verb for verb in self.bulk_verbs if verb.may(request)]
        return {verb.name: (functools.partial(bulk.chosen, verb), verb.name, verb.label) for verb in usable}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the buttons of its verbs."""
        saved = saved_filters.of_list(list_of=self.opts.label_lower, user_id=request.user.pk)
        if standard := filter_bar.standard(request, saved):
            return HttpResponseRedirect(standard)
        buttons = [*self.list_links(request), *verbs.list_buttons(self, request)]
        names = filter_bar.bar(self.opts.label_lower, saved, request.GET.urlencode())
        response = super().changelist_view(request, {"filter_bar": names, **(extra_context or {})})
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["actions_list"] = buttons  # the theme puts its own in their place
        return response

    # --- The page --------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The object's page. Only to be looked at: anything but GET is refused."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        instance = self.get_object(request, unquote(object_id))
        if instance is None:
            return self.missing(request, object_id)
        page = self.page(request, instance)
        panels = registry.panels(self.panels, instance) if self.panels else []
        banners = registry.panels(f"{self.panels}.banner", instance) if self.panels else []
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": str(instance),
            "opts": self.opts,
            "original": instance,
            "change": True,
            "is_popup": False,
            "page": page,
            "panels": blocks.registered(panels),
            "banners": blocks.registered(banners),
            **self._buttons(request, instance),
            **(extra_context or {}),
        }
        return TemplateResponse(request, TEMPLATE, context)

    def _buttons(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        links = [verbs.link("History", self.url("history", instance.pk), "history"), *self.links(request, instance)]
        buttons = [*leading.buttons(self.ways, request, instance), *verbs.object_buttons(self, request, instance)]
        return headers.of(links=links, buttons=buttons, prominent=self.prominent, groups=self.menu)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Everything that the audit trail has on the object."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        instance = self.get_object(request, unquote(object_id))
        if instance is None:
            return self.missing(request, object_id)
        return history.view(self, request, instance)

    def missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the list with a word about the object that is not there."""
        messages.warning(request, f"There is no {self.opts.verbose_name} {unquote(object_id)}.")
        return HttpResponseRedirect(self.url("changelist"))


def _swapped(
    view: Callable[..., HttpResponse], model_admin: Any, verb: Any, request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponse:
    return view(model_admin, verb, request, *args, **kwargs)


def extend(model: type[models.Model], *further: ObjectVerb) -> None:
    """Add verbs of an upper app to the page of a lower app's model, which is registered before."""
    model_admin = admin.site.get_model_admin(model)
    known = {verb.name for verb in model_admin.verbs}
    model_admin.verbs = (*model_admin.verbs, *(verb for verb in further if verb.name not in known))


def extend_bulk(model: type[models.Model], *further: BulkVerb) -> None:
    """Add verbs of an upper app to the list of a lower app's model, which is registered before."""
    model_admin = admin.site.get_model_admin(model)
    known = {verb.name for verb in model_admin.bulk_verbs}
    model_admin.bulk_verbs = (*model_admin.bulk_verbs, *(verb for verb in further if verb.name not in known))


def lead(model: type[models.Model], *further: leading.Way) -> None:
    """Let the page of a lower app's model lead to what is done for its objects in upper apps."""
    model_admin = admin.site.get_model_admin(model)
    known = {way.name for way in model_admin.ways}
    model_admin.ways = (*model_admin.ways, *(way for way in further if way.name not in known))


def register(model: type[models.Model]) -> Callable[[type[PageAdmin]], type[PageAdmin]]:
    """Put a model's admin on the site."""
    return admin.register(model)
