"""What the overview is about: one billing entity or all of them, in one currency. Kept in the address of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.http import HttpRequest
from django.utils.http import urlencode

from config.platform.admin.blocks import Block
from customers.models import BillingEntity


@dataclass(frozen=True)
class Narrowing(Block):
    """The choices with what is chosen: an entity's id (none is all of them) and a currency (none before anything is
    sold).
    """

    entities: tuple[tuple[int, str], ...]
    entity_id: int | None
    currencies: tuple[str, ...]
    currency: str
    template: ClassVar[str] = "admin/overview/narrowing.html"

    @property
    def title(self) -> str:
        """What the figures below are of."""
        name = dict(self.entities).get(self.entity_id or 0, "")
        of = f" of {name}" if name else ""
        return f"Money in {self.currency}{of}" if self.currency else f"Money{of}"

    @property
    def is_choice(self) -> bool:
        """Say whether there is anything to choose."""
        return len(self.entities) > 1 or len(self.currencies) > 1

    def of_list(self, **wanted: str) -> str:
        """The query of a list of documents with the same narrowing and more."""
        found = dict(wanted)
        if self.currency:
            found["currency"] = self.currency
        if self.entity_id is not None:
            found["billing_entity__id__exact"] = str(self.entity_id)
        return urlencode(found)

    def of_page(self) -> str:
        """The query of the overview and its pieces with the same narrowing."""
        found = {"currency": self.currency}
        if self.entity_id is not None:
            found["entity"] = str(self.entity_id)
        return urlencode(found)


def entity_of(request: HttpRequest, known: Sequence[tuple[int, str]]) -> int | None:
    """The entity that the address names; none where it names no entity that exists."""
    wanted = request.GET.get("entity", "")
    return next((pk for pk, _ in known if str(pk) == wanted), None)


def entities() -> tuple[tuple[int, str], ...]:
    """The billing entities by their names."""
    return tuple(BillingEntity.objects.order_by("name", "pk").values_list("pk", "name"))


def currency_of(request: HttpRequest, known: Sequence[str]) -> str:
    """The currency that the address names where there is something in it, else the busiest; none where nothing is."""
    wanted = request.GET.get("currency", "").upper()
    if wanted in known:
        return wanted
    return known[0] if known else ""
