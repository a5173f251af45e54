"""Billing details in the portal: who documents address, which the customer may change after seeing what will change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from config.kernel import errors
from config.kernel.actors import Actor
from customers.portal import details_form
from customers.portal.base import CustomerPage
from customers.portal.details_form import DetailsForm
from customers.services import customers
from customers.services.customers import CustomerValues

REVIEW, SAVE, BACK = "review", "save", "back"


@dataclass(frozen=True, slots=True)
class Change:
    """A field that would change, in words."""

    label: str
    old: str
    new: str


class Details(CustomerPage):
    """Show the billing details, what would change of them, and change them."""

    section = "details"
    template = "portal/details.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form as things are."""
        form = DetailsForm(initial=details_form.initial(self.customer), locale=self.customer.applicable_locale)
        return self._shown(request, form, is_saved="saved" in request.GET)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Show what would change, or, once that was confirmed, change it."""
        form = DetailsForm(
            request.POST, initial=details_form.initial(self.customer), locale=self.customer.applicable_locale
        )
        step = request.POST.get("step", REVIEW)
        if step == BACK or not form.is_valid():
            return self._shown(request, form, status=200 if step == BACK else 422)
        changed = form.changed_values()
        if step != SAVE or not changed:
            return self._shown(request, form, changes=self._changes(form, changed), is_review=bool(changed))
        try:
            customers.upsert(
                values=cast(CustomerValues, {"external_id": self.customer.external_id, **changed}),
                actor=_actor(request, self.customer.display_name),
                at=self.at,
                makes=False,  # it may be retired since the link was opened
            )
        except errors.NotFound:
            raise
        except errors.DomainError as refusal:
            form.refuse(refusal)
            return self._shown(request, form, status=422)
        return HttpResponseRedirect(f"{self.url('details')}?saved")

    def _shown(self, request: HttpRequest, form: DetailsForm, *, status: int = 200, **content: Any) -> HttpResponse:
        return self.page(request, {"form": form, **content}, status=status)

    def _changes(self, form: DetailsForm, changed: dict[str, str]) -> list[Change]:
        before = details_form.initial(self.customer)
        return [
            Change(str(form.fields[name].label), form.word(name, before[name]), form.word(name, new))
            for name, new in changed.items()
        ]


def _actor(request: HttpRequest, name: str) -> Actor:
    return Actor(
        kind="customer",
        label=name[:255],
        address=request.META.get("REMOTE_ADDR", ""),
        client=request.headers.get("User-Agent", "")[:255],
    )
