"""What becomes of a version and its order form together: approved, voided, expired. Owns these steps under the lock of
the quote; the verbs that lead here are `quote_versions`', `quote_approvals`' and `order_forms`'.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from billing.domain import contract_terms, quote_states
from billing.domain.quote_states import FormVerb, VersionVerb
from billing.models import OrderForm, QuoteApproval, QuoteVersion
from billing.queries import quotes as known
from billing.services import quote_rows, webhook_types
from config.kernel import dates, jobs
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

PREFIX = "OF"
_INSTANT = timedelta(microseconds=1)


def approve(*, version: QuoteVersion, actor: Actor, at: datetime) -> OrderForm:
    """Approve a version and generate its order form, which is rendered after the transaction.

    It may be signed until the last instant of the last day of the offer, where the customer is.
    """
    quote = version.quote
    version.state = quote_states.version_after(state=version.state, verb=VersionVerb.APPROVE).value
    version.approved_at = version.updated_at = at
    version.save(update_fields=["state", "approved_at", "updated_at"])
    last, zone = version.valid_until, dates.zone(known.timezone_of(quote))
    today = dates.local_date(at, dates.zone(quote.billing_entity.timezone))
    form = OrderForm.objects.create(
        created_at=at,
        updated_at=at,
        number=quote_rows.number(prefix=PREFIX, quote_day=today),
        version=version,
        customer=quote.customer,
        expires_at=None if last is None else contract_terms.ends_at(last, zone) + _INSTANT,
    )
    audit.record(
        actor=actor,
        at=at,
        verb="approved",
        instance=version,
        new={"state": version.state, "order_form": form.number},
    )
    audit.record(
        actor=actor, at=at, verb="create", instance=form, new={"number": form.number, "expires_at": form.expires_at}
    )
    tellings.tell(webhook_types.QUOTE_APPROVED, quote, at=at)
    tellings.tell(webhook_types.ORDER_FORM_CREATED, form, at=at)
    jobs.enqueue("billing.tasks.render_order_form", order_form_id=form.pk)
    return form


def void(*, version: QuoteVersion, reason: str, actor: Actor, at: datetime) -> QuoteVersion:
    """Void a version with its order form; approvals that are open are not needed any more.

    Raises InvalidQuoteState.
    """
    old = {"state": version.state}
    version.state = quote_states.version_after(state=version.state, verb=VersionVerb.VOID).value
    version.void_reason, version.voided_at, version.updated_at = reason[:255], at, at
    version.save(update_fields=["state", "void_reason", "voided_at", "updated_at"])
    version.approvals.filter(state=QuoteApproval.State.PENDING).update(state=QuoteApproval.State.DROPPED)
    form = OrderForm.objects.filter(version=version).first()
    if form is not None:
        form.state = quote_states.form_after(state=form.state, verb=FormVerb.VOID).value
        form.reason, form.voided_at, form.updated_at = reason, at, at
        form.save(update_fields=["state", "reason", "voided_at", "updated_at"])
        audit.record(actor=actor, at=at, verb="void", instance=form, new={"state": form.state}, reason=reason)
        tellings.tell(webhook_types.ORDER_FORM_VOIDED, form, at=at)
    audit.record(
        actor=actor, at=at, verb="void", instance=version, old=old, new={"state": version.state}, reason=reason
    )
    tellings.tell(webhook_types.QUOTE_VOIDED, version.quote, at=at)
    return version


def expire(*, form: OrderForm, actor: Actor, at: datetime) -> OrderForm:
    """End an order form whose time is over, with its version."""
    version = form.version
    form.state = quote_states.form_after(state=form.state, verb=FormVerb.EXPIRE).value
    form.updated_at = at
    form.save(update_fields=["state", "updated_at"])
    version.state = quote_states.version_after(state=version.state, verb=VersionVerb.EXPIRE).value
    version.updated_at = at
    version.save(update_fields=["state", "updated_at"])
    audit.record(actor=actor, at=at, verb="expire", instance=version, new={"state": version.state})
    audit.record(actor=actor, at=at, verb="expire", instance=form, new={"state": form.state})
    tellings.tell(webhook_types.ORDER_FORM_EXPIRED, form, at=at)
    return form
