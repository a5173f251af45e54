"""The sample's month end: the next run rehearsed and waiting for its sign-off, an account that is parked, rules for
second persons, a write-off that waits for one, who looks after which work queue, saved filters, and a file of customers
that was checked and not written yet.

Each is made once; what is there already, or was decided meanwhile, stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import QueryDict
from moneyed import Money

from billing.models import OutlierRule, ParkedAccount, Rehearsal
from billing.services import outlier_rules, parked_accounts, rehearsals
from billing.services.outlier_rules import RuleValues as RuleOfOutliers
from config.demo import staff
from config.demo.buyers import Buyer
from config.kernel import dates
from config.platform.admin import approval_asking
from config.platform.models import ApprovalRequest, ApprovalRule, FirstStep, ImportFile, QueueOwner, SavedFilter
from config.platform.services import approval_rules, first_steps, imports, saved_filters, work_queues
from config.platform.services.approval_rules import RuleValues
from config.platform.services.approvals import ApprovalRequired
from customers.models import Customer
from invoicing.admin.write_off_verbs import WriteOffDue
from invoicing.models import Invoice
from invoicing.services import approval_actions

_PARKED_RANK, _LIMIT = 17, Decimal(50)
_REASON = "The customer is insolvent; the administrator pays nothing."
_BILLED_AT = time(12)
_LARGE = RuleOfOutliers("Large: somebody reads it", OutlierRule.Kind.ABOVE_AMOUNT.value, amount=Money(750, "EUR"))
_FILTERS = (
    ("invoicing.invoice", "Overdue in euro", "due=overdue&currency=EUR"),
    ("invoicing.invoice", "Paid in part", "due=part"),
)
_LEADS = """\
Customer number;Company;Country;E-mail;Currency;Payment term
lead_0417;Heidekrug Mobil GmbH;DE;rechnung@heidekrug.example;EUR;30
lead_0418;Brune & Söhne KG;DE;buero@brune.example;EUR;14
lead_0419;Atelier Nordlys SARL;FR;compta@nordlys.example;EUR;30
lead_0420;Quayside Paper Ltd;GB;accounts@quayside.example;Pound;30
lead_0421;Sternfeld Optik GmbH;AT;sternfeld.example;EUR;30
"""
"""Two of these rows cannot be read as they are meant: a currency by its name, and an address that is none."""
_OWNERS = {
    "quotes_to_approve": staff.MANAGER,
    "quotes_expiring": staff.SALES,
    "late_usage": staff.FINANCE,
    "parked": staff.FINANCE,
    "sign_off": staff.CONTROLLER,
}


def make(people: Sequence[Buyer], *, at: datetime) -> None:
    """Make all that is missing; the rehearsal is computed by the worker."""
    if not QueueOwner.objects.exists():
        _own(at)
    if not ParkedAccount.objects.exists():
        _park(people[_PARKED_RANK], at)
    if not ApprovalRule.objects.exists():
        _second_persons(at)
    if not ApprovalRequest.objects.exists():
        _write_off(at)
    if not SavedFilter.objects.exists():
        _filters(at)
    if not ImportFile.objects.exists():
        imports.upload(
            kind="customers",
            file_name="leads-from-the-fair.csv",
            content=_LEADS.encode(),
            actor=staff.acts(staff.FINANCE),
            at=at,
        )
    if not Rehearsal.objects.exists():
        outlier_rules.create(values=_LARGE, actor=staff.acts(staff.CONTROLLER), at=at)
        first = dates.add_months(at.date().replace(day=1), 1)
        rehearsals.request(
            as_of=datetime.combine(first, _BILLED_AT, tzinfo=UTC),
            reason="A look ahead at the next month end.",
            actor=staff.acts(staff.FINANCE),
            at=at,
        )


def waiting() -> int:
    """Count the rehearsals that are still to be computed."""
    return Rehearsal.objects.filter(state__in=[Rehearsal.State.WAITING, Rehearsal.State.RUNNING]).count()


def _own(at: datetime) -> None:
    """Give queues to people, and tick what a sample need not do itself: mails become files, and it needs no backup."""
    people = get_user_model().objects.in_bulk([one.username for one in staff.PEOPLE], field_name="username")
    for code, person in _OWNERS.items():
        work_queues.assign(
            code=code, person=people[person.username], role=None, actor=staff.acts(staff.CONTROLLER), at=at
        )
    for code in (FirstStep.Code.MAIL, FirstStep.Code.BACKUP):
        first_steps.tick(code=code, actor=staff.acts(staff.CONTROLLER), at=at)


def _filters(at: datetime) -> None:
    """Save what finance looks at every week; all of that role see it."""
    role = Group.objects.get(name=staff.FINANCE.role)
    for list_of, name, query in _FILTERS:
        actor = staff.acts(staff.FINANCE)
        row = saved_filters.save(list_of=list_of, name=name, query=query, is_standard=False, actor=actor, at=at)
        saved_filters.share(saved_id=row.pk, role=role, actor=actor, at=at)


def _park(buyer: Buyer, at: datetime) -> None:
    parked_accounts.park(
        customer_id=Customer.objects.get(external_id=buyer.external_id).pk,
        reason="Merges with its parent company: the new legal name comes by letter.",
        actor=staff.acts(staff.FINANCE),
        at=at,
    )


def _second_persons(at: datetime) -> None:
    finance = Group.objects.get(name=staff.CONTROLLER.role)
    for action in (approval_actions.WRITE_OFF, approval_actions.MANUAL_ENTRY):
        for currency in ("EUR", "USD", "GBP"):
            values = RuleValues(action=action, group_id=finance.pk, currency=currency, above_amount=_LIMIT)
            approval_rules.create(values=values, actor=staff.acts(staff.CONTROLLER), at=at)


def _write_off(at: datetime) -> None:
    """Ask for the write-off of the oldest overdue invoice that is above the limit."""
    overdue = Invoice.objects.filter(payment_overdue=True, disputed_amount=0, total_amount__gt=_LIMIT)
    invoice = overdue.filter(kind=Invoice.Kind.SUBSCRIPTION, paid_amount=0).order_by("payment_due_date", "pk").first()
    if invoice is None:
        return
    actor, verb = staff.acts(staff.FINANCE), WriteOffDue()
    data = QueryDict(mutable=True)
    data.update({"amount": "", "reason": _REASON})
    form = verb.form(data=data, instance=invoice, at=at)
    form.full_clean()
    values = form.cleaned_data
    try:
        with transaction.atomic():
            verb.perform(instance=invoice, values=values, actor=actor, at=at)
    except ApprovalRequired as refusal:
        approval_asking.ask(
            model=Invoice, verb=verb, data=data, values=values, instance=invoice, refusal=refusal, actor=actor, at=at
        )
