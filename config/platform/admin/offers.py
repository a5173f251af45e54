"""What upper apps add to the form that makes an object of a lower app, without being imported by it.

An upper app offers a field and what is done with it under the name of the form ("catalog.tax"); the form asks by that
name. Owns the register, and no field.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from config.kernel.actors import Actor
from config.platform.admin.forms import VerbForm


@dataclass(frozen=True)
class Offer:
    """A field of the form, and what is done with its value: ``apply(instance=, chosen=, actor=, at=)``.

    ``field`` makes the field. ``apply`` runs in the transaction that makes the object, and raises what services refuse.
    """

    name: str
    field: Callable[[], forms.Field]
    apply: Callable[..., None]


_offers: dict[str, dict[str, Offer]] = defaultdict(dict)


def register(form: str, offer: Offer) -> None:
    """Offer a field in a form. Offering it again changes nothing; another one of its name is refused."""
    if _offers[form].setdefault(offer.name, offer) != offer:
        raise ValueError(f"there is an offer {offer.name!r} already")


def add_fields(name: str, form: VerbForm) -> None:
    """Add what is offered to a form that is being made."""
    for offer in _offers[name].values():
        form.add_field(offer.name, offer.field())


def apply(name: str, *, instance: object, values: Mapping[str, Any], actor: Actor, at: datetime) -> None:
    """Do with a new object what was chosen. Raises what the services of the offers refuse."""
    for offer in _offers[name].values():
        offer.apply(instance=instance, chosen=values[offer.name], actor=actor, at=at)
