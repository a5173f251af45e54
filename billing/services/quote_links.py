"""Links to order forms: the secret of one, and opening it. Owns both; nothing is kept of a secret but its digest.

A secret names its order form under the installation's signature, so that a link that was replaced by a later one can
be told from one that never was.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from django.core import signing

from billing.models import OrderForm
from billing.queries import quotes as known
from config.kernel import errors

SALT = "billing.order_form"
_BYTES = 24
_MOST = 1024


class LinkInvalid(errors.Forbidden):
    """The link is none of ours, or was changed."""


class LinkOver(errors.Forbidden):
    """The link was good once: a later one took its place."""


def mint(*, order_form: OrderForm) -> str:
    """Return a new secret for an order form, which no earlier one equals. Writes nothing."""
    content = {"f": order_form.uuid.hex, "r": secrets.token_urlsafe(_BYTES)}
    return signing.Signer(salt=SALT).sign_object(content)


def digest(*, token: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def opened(*, token: str, at: datetime) -> OrderForm:
    """Return the order form that a link opens, in whatever state it is, with version, quote and customer. Reads only.

    Whether it can still be signed, its state and ``expires_at`` say. Raises LinkInvalid (`quote_link_invalid`) and
    LinkOver (`quote_link_replaced`).
    """
    try:
        if len(token) > _MOST:
            raise ValueError(token[:9])
        public_id = UUID(signing.Signer(salt=SALT).unsign_object(token)["f"])
    except (signing.BadSignature, ValueError, KeyError, TypeError, AttributeError):
        raise LinkInvalid("quote_link_invalid", "This is no link to an offer.") from None
    form = (
        known.order_forms()
        .select_related("version__quote__billing_entity", "version__quote__owner", "version__quote__contract")
        .filter(uuid=public_id)
        .first()
    )
    if form is None:
        raise LinkInvalid("quote_link_invalid", "This is no link to an offer.")
    if form.token_sha256 != digest(token=token):
        raise LinkOver("quote_link_replaced", "A later link to this offer took the place of this one.")
    return form
