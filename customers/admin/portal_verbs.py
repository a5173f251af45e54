"""Links to the portal in the admin: handing one out, which is audited, and revoking all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ObjectVerb, Outcome
from customers.models import Customer
from customers.services import portal_links


class PortalLink(ObjectVerb):
    """Show a link to the portal."""

    name = "portal_link"
    label = "Portal link"
    icon = "open_in_new"
    permission = "customers.change_customer"
    explanation = (
        "Whoever has the link sees the customer's documents and usage and may change its billing details, without an "
        "account. Give it to the customer only. It is shown once, and the history says who asked for it."
    )
    confirm = "Make a link"

    def check(self, *, instance: Customer, at: datetime) -> None:
        """A retired customer has no portal."""
        _require_existing(instance)

    def preview(self, *, instance: Customer, at: datetime) -> Sequence[Block]:
        """For how long it works."""
        return (Note(f"The link works for {settings.PORTAL_LINK_HOURS} hours.", Tone.INFO),)

    def perform(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it and show it."""
        link = portal_links.hand_out(customer=instance, actor=actor, at=at)
        address = f"{settings.PUBLIC_URL}{reverse('portal-overview', kwargs={'token': link.token})}"
        facts = Facts(
            "Portal link",
            (
                Fact("Address", cells.code(address)),
                Fact("Open it", cells.link("The portal of this customer", address)),
                Fact("Works until", cells.instant(link.expires_at)),
            ),
        )
        return Outcome(f"A link to the portal of {instance}.", blocks=(facts,))


class RevokePortalLinks(ObjectVerb):
    """End all links that the customer was given."""

    name = "revoke_portal_links"
    label = "Revoke portal links"
    icon = "link_off"
    variant = theme.ActionVariant.DANGER
    permission = "customers.change_customer"
    explanation = "Every link to this customer's portal that was ever made stops working now. New ones can be made."
    confirm = "Revoke all links"

    def check(self, *, instance: Customer, at: datetime) -> None:
        """The links of a retired customer are over."""
        _require_existing(instance)

    def perform(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Revoke them."""
        portal_links.revoke(customer_id=instance.pk, actor=actor, at=at)
        return Outcome("All links to the portal were revoked.")


def _require_existing(customer: Customer) -> None:
    if customer.deleted_at is not None:
        raise errors.NotAllowed("retired", f"{customer} is retired.")
