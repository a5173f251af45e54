"""The first steps of a new installation: what there is to do, why, where, and what is done of it.

Each step is done when its rows are there; what no row can tell, somebody ticks off. The list disappears when all is
done, and whoever may can put it away before.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from billing.models import Subscription, UsageEvent
from catalog.models import BillableMetric, Plan, Tax
from config.platform.admin.blocks import Block
from config.platform.models import ApiKey, FirstStep
from config.platform.queries import first_steps
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice, TaxEngine

VIEW = "platform.view_firststep"
CHANGE = "platform.change_firststep"


@dataclass(frozen=True)
class Step:
    """One step. It is done when any of ``rows`` has a row. ``url`` names the form, which ``permission`` opens.

    ``missing`` says what is lacking as long as it is not done. ``other`` is another way to do it: its words, and the
    name of its form, which whoever may tick steps off opens.
    """

    code: str
    title: str
    why: str
    following: str
    action: str
    url: str
    permission: str
    rows: Callable[[], Sequence[QuerySet[Any]]]
    missing: Callable[[], str] = lambda: ""
    other: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Shown:
    """A step for one person: whether it is done, whether it is the next one, and where it is done (empty: no right)."""

    step: Step
    is_done: bool
    is_next: bool
    url: str
    missing: str = ""
    other_url: str = ""


@dataclass(frozen=True)
class Checklist(Block):
    """The steps with how far they are. ``hide_url`` puts them away, ``show_url`` brings them back: empty where they are
    not away, and for whoever may not. On their own page they are shown whole.
    """

    items: tuple[Shown, ...]
    hide_url: str = ""
    show_url: str = ""
    is_whole: bool = False
    template: ClassVar[str] = "admin/overview/first_steps.html"

    @property
    def done(self) -> int:
        """How many are done."""
        return sum(1 for item in self.items if item.is_done)

    @property
    def percent(self) -> int:
        """How far it is, in whole percent."""
        return self.done * 100 // len(self.items)

    @property
    def following(self) -> Shown | None:
        """The step to do now."""
        return next((item for item in self.items if item.is_next), None)


_NEEDED = (("address_line1", "street"), ("city", "city"), ("country", "country"), ("iban", "bank details"))


def _entity() -> Sequence[QuerySet[Any]]:
    complete = BillingEntity.objects.all()
    for field, _ in _NEEDED:
        complete = complete.exclude(**{field: ""})
    return (complete,)


def _missing_of_entity() -> str:
    entity = BillingEntity.objects.order_by("-is_default", "pk").first()
    if entity is None:
        return "There is no billing entity yet."
    lacks = [words for field, words in _NEEDED if not getattr(entity, field)]
    return f"{entity.name} lacks: {', '.join(lacks)}."


def _missing_of_tax() -> str:
    made = Tax.objects.filter(deleted_at__isnull=True).order_by("pk").first()
    if made is None:
        return ""
    return f"The tax {made.name} was made, but no billing entity applies it: choose it when you edit a billing entity."


def _tax() -> Sequence[QuerySet[Any]]:
    applied = BillingEntity.taxes.through.objects.all()
    decided = BillingEntity.objects.filter(eu_tax_management=True)
    engines = TaxEngine.objects.filter(is_active=True)
    return applied, decided, engines, first_steps.ticked(code=FirstStep.Code.NO_TAX)


def _people() -> Sequence[QuerySet[Any]]:
    return (User.objects.filter(is_active=True, is_staff=True, groups__isnull=False),)


def _ticked(code: str) -> Callable[[], Sequence[QuerySet[Any]]]:
    return lambda: (first_steps.ticked(code=code),)


STEPS = (
    Step(
        "entity",
        "Complete your company",
        "Invoices must name who issues them: address, bank details, the VAT id if there is one. A logo is optional.",
        "Then say which taxes your invoices have.",
        "Open the billing entities",
        "admin:customers_billingentity_changelist",
        "customers.change_billingentity",
        _entity,
        _missing_of_entity,
    ),
    Step(
        "tax",
        "Set up taxes",
        "Without one that a billing entity applies, invoices are issued without tax. One rate is enough to begin; the "
        "VAT of the EU can be decided for each customer by itself.",
        "Then make sure that e-mail gets out.",
        "Make a tax",
        "admin:catalog_tax_create",
        "catalog.add_tax",
        _tax,
        _missing_of_tax,
        ("We charge no tax", "admin:platform_firststep_no_tax"),
    ),
    Step(
        "mail",
        "Send a test mail",
        "Invoices, reminders and quotes go out by e-mail. A test shows that the mail server takes them.",
        "Then let your colleagues in.",
        "Send a test mail",
        "admin:platform_firststep_mail",
        CHANGE,
        _ticked(FirstStep.Code.MAIL),
    ),
    Step(
        "people",
        "Invite people, with roles",
        "Everybody has an account of their own: the audit trail tells who did what, and a second person can approve.",
        "Then define what you count.",
        "Add a person",
        "admin:auth_user_add",
        "auth.add_user",
        _people,
    ),
    Step(
        "metric",
        "Define what is counted",
        "A metric counts or sums the events that your systems send: requests, gigabytes, seats.",
        "Then put a price on it.",
        "Make a metric",
        "admin:catalog_billablemetric_create",
        "catalog.add_billablemetric",
        lambda: (BillableMetric.objects.all(),),
    ),
    Step(
        "plan",
        "Write a price list",
        "A plan has a fee, and prices for metrics. It can be changed later: each change is a version.",
        "Then add who buys it.",
        "Make a plan",
        "admin:catalog_plan_create",
        "catalog.add_plan",
        lambda: (Plan.objects.all(),),
    ),
    Step(
        "customer",
        "Add a customer",
        "By hand, through the API, or from a file. The external id is how your systems know the customer.",
        "Then begin a subscription.",
        "Add a customer",
        "admin:customers_customer_create",
        "customers.add_customer",
        lambda: (Customer.objects.all(),),
    ),
    Step(
        "subscription",
        "Begin a subscription",
        "It joins a customer to a plan. From then on billing happens by itself.",
        "Then let your systems send usage.",
        "Begin a subscription",
        "admin:billing_subscription_create",
        "billing.add_subscription",
        lambda: (Subscription.objects.all(),),
    ),
    Step(
        "key",
        "Make an API key",
        "Your systems sign in with it. It is shown once: keep it where secrets are kept.",
        "Then send the first event.",
        "Make an API key",
        "admin:platform_apikey_create",
        "platform.add_apikey",
        lambda: (ApiKey.objects.all(),),
    ),
    Step(
        "event",
        "Send a first event",
        "One request to the API with the key, the subscription's external id and the code of the metric.",
        "Then see it on an invoice.",
        "Look at the usage",
        "admin:billing_usageevent_changelist",
        "billing.view_usageevent",
        lambda: (UsageEvent.objects.all(),),
    ),
    Step(
        "invoice",
        "Issue a first invoice",
        "When the first period is over a draft is made. A simulation shows today what it will be.",
        "Then make sure that nothing of this can be lost.",
        "Look at what is coming",
        "admin:billing_subscription_simulation",
        "billing.view_subscription",
        lambda: (Invoice.objects.filter(number__isnull=False),),
    ),
    Step(
        "backup",
        "Set up backups",
        "Everything is in the database and in the folder of documents: the guide to operations says how to back up "
        "both. Restore one once, then tick this off.",
        "Then you are done.",
        "Tick it off",
        "admin:platform_firststep_backup",
        CHANGE,
        _ticked(FirstStep.Code.BACKUP),
    ),
)


def blocks(request: HttpRequest) -> Sequence[Block]:
    """The list on the overview; nothing once all is done, or somebody put it away. One query, and one for each of the
    first two steps that is not done."""
    if not request.user.has_perm(VIEW):
        return ()
    items, is_hidden = _items(request)
    if is_hidden or all(item.is_done for item in items):
        return ()
    hide = reverse("admin:platform_firststep_hide") if request.user.has_perm(CHANGE) else ""
    return (Checklist(items, hide),)


def whole(request: HttpRequest) -> Checklist:
    """The list on its own page, with all that it says. Queries as `blocks`."""
    items, is_hidden = _items(request)
    verb = "show" if is_hidden else "hide"
    url = reverse(f"admin:platform_firststep_{verb}") if request.user.has_perm(CHANGE) else ""
    return Checklist(items, is_whole=True, **{f"{verb}_url": url})


def _items(request: HttpRequest) -> tuple[tuple[Shown, ...], bool]:
    asked = [step.rows() for step in STEPS]
    every = [rows for group in asked for rows in group]
    found = iter(first_steps.exist(rows=[*every, first_steps.ticked(code=FirstStep.Code.HIDDEN)]))
    done = [functools.reduce(operator.or_, [next(found) for _ in group]) for group in asked]
    first = next((number for number, is_done in enumerate(done) if not is_done), None)
    items = tuple(
        _shown(request, step, is_done=is_done, is_next=number == first)
        for number, (step, is_done) in enumerate(zip(STEPS, done, strict=True))
    )
    return items, next(found)


def _shown(request: HttpRequest, step: Step, *, is_done: bool, is_next: bool) -> Shown:
    may, may_tick = request.user.has_perm(step.permission), request.user.has_perm(CHANGE)
    _, other = step.other
    return Shown(
        step,
        is_done,
        is_next,
        reverse(step.url) if may else "",
        "" if is_done else step.missing(),
        reverse(other) if other and may_tick and not is_done else "",
    )
