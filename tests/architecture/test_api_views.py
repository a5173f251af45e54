"""Every view of the API says which resource it belongs to, so that rights of keys cover all of them and no other."""

from collections.abc import Iterator
from typing import Any

from config import api
from config.platform.api.views import UnknownRoute
from config.platform.services import rights


def test_every_view_names_a_resource_that_rights_know() -> None:
    unknown = sorted(
        f"{view.__module__}.{view.__name__}: {view.resource!r}"
        for view in _views()
        if view.resource not in rights.RESOURCES and not (view.resource is None and _is_open(view))
    )
    assert unknown == []


def test_every_resource_of_the_rights_has_a_view() -> None:
    assert sorted(set(rights.RESOURCES) - {view.resource for view in _views()}) == []


def test_methods_that_only_read_are_there() -> None:
    wrong = [view.__name__ for view in _views() for method in view.reads if not hasattr(view, method)]
    assert wrong == []


def test_what_is_conditional_shows_something() -> None:
    assert [view.__name__ for view in _views() if view.is_conditional and not hasattr(view, "get")] == []


def _is_open(view: Any) -> bool:
    return view is UnknownRoute or not view.authentication_classes


def _views() -> Iterator[Any]:
    for app in api.urlpatterns:
        yield from (route.callback.view_class for route in app.url_patterns)
