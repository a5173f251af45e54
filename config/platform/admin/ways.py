"""Ways: buttons of an object's page that lead to where something of an upper app is done for it. Owns no page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import HttpRequest

from config.platform.admin import theme, verbs


@dataclass(frozen=True)
class Way:
    """A button of an object's page that leads to where a verb of something else is done for it.

    ``address`` gives where that is, nothing where there is no need of it now. Whoever lacks ``permission`` does not
    see it; the page that it leads to asks for its rights itself.
    """

    name: str
    label: str
    icon: str
    permission: str
    address: Callable[[Any], str]
    variant: theme.ActionVariant = theme.ActionVariant.DEFAULT


def buttons(found: Sequence[Way], request: HttpRequest, instance: models.Model) -> list[dict[str, Any]]:
    """The buttons of the ways that are open to this person from this object as it is now."""
    usable = [way for way in found if request.user.has_perm(way.permission)]
    open_ones = [(way, address) for way in usable if (address := way.address(instance))]
    return [
        {**verbs.link(way.label, address, way.icon), "variant": way.variant, "name": way.name}
        for way, address in open_ones
    ]
