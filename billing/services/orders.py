"""Orders: what a signed order form is turned into, at once or later. Owns making and executing them.

With the customer's own click the execution is part of the acceptance. What staff execute, or a job does on its day,
may fail: then the order says why, and nothing was made.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.domain import quote_states, quote_terms
from billing.models import Order, OrderForm
from billing.queries import quotes as known
from billing.services import quote_execution, quote_rows, webhook_types
from config.kernel import actors, dates, db, errors
from config.kernel.actors import Actor
from config.platform.services import approvals, audit, tellings

PREFIX = "OR"
log = logging.getLogger(__name__)
State = Order.State


def make(
    *,
    form: OrderForm,
    mode: str,
    execute_at: datetime | None,
    purchase_order_number: str = "",
    actor: Actor,
    at: datetime,
) -> Order:
    """Make the order of a signed order form, under the lock of its quote. Raises nothing of its own."""
    version = form.version
    day = dates.local_date(at, dates.zone(version.quote.billing_entity.timezone))
    order = Order.objects.create(
        created_at=at,
        updated_at=at,
        number=quote_rows.number(prefix=PREFIX, quote_day=day),
        order_form=form,
        customer=form.customer,
        currency=version.currency,
        mode=mode,
        execute_at=execute_at,
        snapshot={
            "quote": version.quote.number,
            "version": version.number,
            "terms": version.terms,
            "terms_sha256": version.terms_sha256,
            "document_sha256": form.sha256,
            "purchase_order_number": purchase_order_number,
        },
    )
    audit.record(
        actor=actor, at=at, verb="create", instance=order, new={"number": order.number, "mode": mode, "at": execute_at}
    )
    tellings.tell(webhook_types.ORDER_CREATED, order, at=at)
    return order


def run(*, order: Order, form: OrderForm, actor: Actor, at: datetime) -> Order:
    """Execute an order under the lock of its quote, all or nothing. Raises what the execution raises."""
    version = form.version
    made = quote_execution.execute(
        quote=version.quote,
        terms=quote_terms.read(version.terms),
        currency=version.currency,
        seen=version.contract_seen,
        purchase_order_number=str(order.snapshot.get("purchase_order_number", "")),
        is_offered=form.sent_at is not None,
        actor=actor,
        at=at,
    )
    old = {"state": order.state}
    order.state, order.executed_at, order.updated_at = State.EXECUTED, at, at
    order.mode = Order.Mode.EXECUTE
    order.contract, order.invoice = made.contract, made.invoices[0] if made.invoices else None
    order.record, order.error_code, order.error = made.record, "", ""
    order.save()
    new = {"state": order.state, **made.record}
    audit.record(actor=actor, at=at, verb="execute", instance=order, old=old, new=new)
    tellings.tell(webhook_types.ORDER_EXECUTED, order, at=at)
    return order


@transaction.atomic
@tellings.gathered
def execute(*, order_id: int, mode: str = Order.Mode.EXECUTE, actor: Actor, at: datetime) -> Order:
    """Execute an order that was kept, or that failed; in the mode ``order_only`` keep it for later.

    Where a part cannot be made nothing is, and the order is returned as failed, with the reason. Raises QuoteNotFound
    (`order_not_found`), InvalidQuoteState for one that is executed, Invalid (`execution_mode`), ApprovalRequired.
    """
    order = _locked(order_id)
    quote_states.demand_executable(state=order.state)
    if mode not in Order.Mode.values:
        raise errors.Invalid("validation_errors", "", {"execution_mode": ["invalid_value"]})
    if mode == Order.Mode.ORDER_ONLY:
        order.mode, order.updated_at = mode, at
        order.save(update_fields=["mode", "updated_at"])
        audit.record(actor=actor, at=at, verb="keep", instance=order, new={"mode": mode})
        return order
    try:
        with transaction.atomic(), tellings.once(at=at):
            return run(order=order, form=order.order_form, actor=actor, at=at)
    except approvals.ApprovalRequired:
        raise
    except errors.DomainError as error:
        return _failed(order_id, error, actor, at)


def execute_due(*, as_of: datetime) -> int:
    """Execute the orders whose day has come: a periodic job, any number of times. Returns how many were executed.

    One that failed is not tried again by itself.
    """
    due = Order.objects.filter(state=State.CREATED, mode=Order.Mode.EXECUTE, execute_at__lte=as_of)
    done = 0
    for pk in list(due.order_by("execute_at", "pk").values_list("pk", flat=True)):
        try:
            order = execute(order_id=pk, actor=actors.job("execute_orders"), at=as_of)
            done += order.state == State.EXECUTED
        except errors.DomainError:
            log.exception("order %s could not be executed", pk)
    return done


def _locked(order_id: int) -> Order:
    form_id = Order.objects.filter(pk=order_id).values_list("order_form_id", flat=True).first()
    if form_id is None:
        raise known.QuoteNotFound("order_not_found", "There is no such order.")
    form = quote_rows.locked_form(form_id)
    order = db.lock_one(Order.objects.filter(pk=order_id))
    order.order_form = form
    return order


def _failed(order_id: int, error: errors.DomainError, actor: Actor, at: datetime) -> Order:
    """Write down why an order failed. It is read anew: what the attempt set of it is undone."""
    order = _locked(order_id)
    order.state, order.error_code, order.error, order.updated_at = State.FAILED, error.code, error.message, at
    order.save(update_fields=["state", "error_code", "error", "updated_at"])
    new: dict[str, Any] = {"state": order.state, "error": error.message, "details": error.details}
    audit.record(actor=actor, at=at, verb="fail", instance=order, new=new)
    tellings.tell(webhook_types.ORDER_FAILED, order, at=at)
    return order
