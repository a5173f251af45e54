"""The gate of a signed-off run: what was drafted is held against what was agreed to, in the same transaction.

Owns taking a customer back whose invoices are not exactly those of the rehearsal, and saying which inputs changed. An
event that arrives meanwhile is either in the draft, and seen here, or not billed by it: both are safe.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import zip_longest

from django.db import transaction
from moneyed import Money

from billing.domain import rehearsal_inputs
from billing.models import BillingRunItem, Rehearsal, RehearsedInvoice
from billing.queries import contracts, made_bills, parked_accounts, rehearsals
from billing.queries.made_bills import MadeBill
from billing.services import billing_days
from billing.services.billing_days import Outcome
from billing.services.runs import PARKED, Biller
from config.kernel import errors, money
from config.kernel.actors import Actor

CODE = "inputs_changed"
"""The error code of the items of those who are refused."""

_ROUNDS = 3


class InputsKeepChanging(errors.Conflict):
    """Inputs of a chunk changed again and again while it was billed; its customers are billed one by one."""


class _TakeBack(Exception):
    """Takes a chunk back, because of the customers that are not as it was agreed."""

    def __init__(self, wrong: Mapping[int, str]) -> None:
        super().__init__(f"{len(wrong)} customers")
        self.wrong = wrong


def biller(*, rehearsal_id: int) -> Biller:
    """Return what bills a chunk of customers as far as they are as it was agreed in a rehearsal.

    Who is not is taken back and noted as an item of the run, with a sentence; the others of the chunk are billed.
    """
    return functools.partial(_bill, rehearsal_id)


@transaction.atomic
def note_missing(*, rehearsal: Rehearsal, run_id: int, at: datetime) -> int:
    """Note the customers of whom invoices were agreed to and none was made, because nothing is due of them any more, or
    because they are parked by now. Returns how many were refused. Calling it again notes nothing more.
    """
    agreed = RehearsedInvoice.objects.filter(rehearsal=rehearsal, error_code="")
    noted = BillingRunItem.objects.filter(run_id=run_id)
    rows = agreed.exclude(customer_id__in=noted.values("customer_id"))
    missing = sorted(set(rows.values_list("customer_id", flat=True)))
    parked = parked_accounts.among(customer_ids=missing)
    due = set(contracts.due_customers(as_of=rehearsal.as_of, customer_ids=missing)) if missing else set()
    items = [
        BillingRunItem(
            created_at=at,
            run_id=run_id,
            customer_id=pk,
            error_code=PARKED if pk in parked else CODE,
            error=parked[pk].reason if pk in parked else _says_missing(is_due=pk in due),
        )
        for pk in missing
    ]
    BillingRunItem.objects.bulk_create(items)
    return sum(item.error_code == CODE for item in items)


def _says_missing(*, is_due: bool) -> str:
    if is_due:
        return "Changed since the sign-off: nothing was to be billed."
    return "Changed since the sign-off: nothing is due any more; it was billed, or ended, elsewhere."


@transaction.atomic
def _bill(
    rehearsal_id: int,
    *,
    customer_ids: Collection[int],
    as_of: datetime,
    catch_up: bool,
    actor: Actor,
    run_id: int | None,
    wait: bool,
) -> Outcome:
    left, refused = list(customer_ids), dict[int, str]()
    for _ in range(_ROUNDS):
        try:
            with transaction.atomic():
                outcome = billing_days.bill_customers(
                    customer_ids=left, as_of=as_of, catch_up=catch_up, actor=actor, run_id=run_id, wait=wait
                )
                free = set(left) - set(outcome.busy_customer_ids)
                wrong = _wrong(rehearsal_id, free, [invoice.pk for invoice in outcome.invoices])
                if wrong:
                    raise _TakeBack(wrong)
            break
        except _TakeBack as found:
            refused |= found.wrong
            left = [pk for pk in left if pk not in found.wrong]
    else:
        if left and len(customer_ids) > 1:
            raise InputsKeepChanging("inputs_keep_changing", "The inputs changed again while they were billed.")
        outcome = Outcome()
    BillingRunItem.objects.bulk_create(
        BillingRunItem(created_at=as_of, run_id=run_id, customer_id=pk, error_code=CODE, error=refused[pk])
        for pk in sorted(refused)
    )
    return Outcome(outcome.invoices, outcome.busy_customer_ids, tuple(sorted(refused)))


def _wrong(rehearsal_id: int, customer_ids: Collection[int], invoice_ids: Sequence[int]) -> dict[int, str]:
    """Return the customers whose invoices are not those that were agreed to, with what is different."""
    made: dict[int, dict[str, MadeBill]] = defaultdict(dict)
    for bill in made_bills.of_invoices(invoice_ids=invoice_ids):
        made[bill.invoice.customer_id][bill.group_sha256] = bill
    agreed: dict[int, dict[str, RehearsedInvoice]] = defaultdict(dict)
    others: dict[int, RehearsedInvoice] = {}
    for row in RehearsedInvoice.objects.filter(rehearsal_id=rehearsal_id, customer_id__in=customer_ids):
        if row.error_code:
            others[row.customer_id] = row
        else:
            agreed[row.customer_id][row.group_sha256] = row
    found = {}
    for pk in customer_ids:
        differences = list(_differences(agreed[pk], made[pk], others.get(pk)))
        if differences:
            found[pk] = " ".join(differences)
    return found


def _differences(
    agreed: Mapping[str, RehearsedInvoice], made: Mapping[str, MadeBill], other: RehearsedInvoice | None
) -> Iterable[str]:
    for row, bill in _pairs(agreed, made):
        if bill is None and row is not None:
            yield f"Changed since the sign-off: the invoice of {row.billing_date} over {_told(row)} would not be made."
        elif row is None and bill is not None:
            yield _says_new(bill, other)
        elif row is not None and bill is not None:
            inputs = bill.inputs()
            if bill.group_sha256 != row.group_sha256 or rehearsal_inputs.digest(inputs) != row.inputs_sha256:
                changes = rehearsal_inputs.changed(agreed=row.inputs, now=inputs)
                yield rehearsal_inputs.sentence(
                    changes=changes, before=_told(row), now=_amount(bill.invoice.total_amount)
                )


def _pairs(
    agreed: Mapping[str, RehearsedInvoice], made: Mapping[str, MadeBill]
) -> Iterator[tuple[RehearsedInvoice | None, MadeBill | None]]:
    """Yield what was agreed to with what was made of it. What has no counterpart is held against what is left, in the
    order of their days: such as where the order number is another one.
    """
    for key in sorted(agreed.keys() & made.keys()):
        yield agreed[key], made[key]
    rows = sorted(
        (row for key, row in agreed.items() if key not in made), key=lambda row: (row.billing_date or date.min, row.pk)
    )
    bills = sorted((bill for key, bill in made.items() if key not in agreed), key=lambda bill: bill.billing_date)
    yield from zip_longest(rows, bills)


def _says_new(bill: MadeBill, other: RehearsedInvoice | None) -> str:
    why = ""
    if other is not None and other.error_code == rehearsals.PARKED:
        why = " The account was parked."
    elif other is not None and other.error_code != rehearsals.NOTHING_TO_BILL:
        why = f" It could not be rehearsed: {other.error}"
    total = _amount(bill.invoice.total_amount)
    return f"Changed since the sign-off: an invoice of {bill.billing_date} over {total} was not rehearsed.{why}"


def _told(row: RehearsedInvoice) -> str:
    return "" if row.total_amount is None else _amount(row.total_amount)


def _amount(value: Money) -> str:
    return f"{money.quantize(value.amount, currency=value.currency.code)} {value.currency.code}"
