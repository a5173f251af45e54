"""What is worth a look in the sample: each story with its page in the admin and its guide.

Owns the stories of subscriptions; those of documents and money are `money_sights`.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from billing.models import Contract, Subscription
from config.demo import builds, lives, money_sights, usage, workspaces
from config.demo.builds import Holder
from config.demo.buyers import Buyer

Status = Subscription.Status

_RUNNERS: tuple[tuple[Holder, str, str, str], ...] = (
    (builds.COMMITS, Status.ACTIVE, "A minimum a month, billed up to it", "minimum-commitments"),
    (
        builds.PASSES_THRESHOLDS,
        Status.ACTIVE,
        "Usage billed within the month, twice, and taken off by the month's invoice",
        "progressive-billing",
    ),
    (builds.HAS_OWN_TERMS, Status.ACTIVE, "A fee, a price and a minimum of its own", "overrides"),
    (builds.IS_PAUSED, Status.PAUSED, "Paused until a day", "pauses"),
    (builds.WAS_PAUSED, Status.ACTIVE, "Paused and resumed, with usage in between", "pauses"),
    (builds.CHANGES, Status.ACTIVE, "Another plan from a day on", "plan-changes"),
    (builds.ENDS, Status.ACTIVE, "An agreed end", "plan-changes"),
    (builds.FIRST_ORDER, Status.ACTIVE, "The first of two purchase orders, each with its invoice", "plan-changes"),
)
_WORKSPACES = (
    (lives.WAITS_RANK, Status.INCOMPLETE, "Waiting for its first payment", "activation"),
    (lives.PAID_RANK, Status.ACTIVE, "Running since its first payment", "activation"),
)


def lines(people: Sequence[Buyer], *, url: str) -> list[tuple[str, str, str]]:
    """Return title, link to the admin and guide of every story that goes on. ``url`` is where the web server is."""
    stories = _stories(people)
    rows = Subscription.objects.filter(external_id__in=[external_id for external_id, *_ in stories])
    pages = {(external_id, status): pk for external_id, status, pk in rows.values_list("external_id", "status", "pk")}
    found = [
        (title, f"{url}{reverse('admin:billing_subscription_change', args=[pages[external_id, status]])}", guide)
        for external_id, status, title, guide in stories
        if (external_id, status) in pages
    ]
    contract = Contract.objects.order_by("pk").first()
    if contract is not None:
        page = reverse("admin:billing_contract_change", args=[contract.pk])
        found.append(("A contract of a year, with a ramp and a commitment", f"{url}{page}", "contracts"))
    found += [(title, f"{url}{page}", guide) for title, page, guide in money_sights.pages(people)]
    return [(title, link, f"docs/{guide}.md") for title, link, guide in found]


def text(people: Sequence[Buyer], *, url: str) -> str:
    """Write the stories for a terminal, nothing where there is none."""
    return "\n".join(f"  {title}\n    {link}  ({guide})" for title, link, guide in lines(people, url=url))


def _stories(people: Sequence[Buyer]) -> list[tuple[str, str, str, str]]:
    """Return external id, status, title and guide of each."""
    watched = usage.subscription_id(people[0].external_id)
    entitled = next(usage.subscription_id(one.external_id) for one in people if one.plan_code.startswith("growth"))
    return [
        *((holder.external_id(people), *story) for holder, *story in _RUNNERS),
        *((workspaces.subscription_id(people[rank].external_id), *story) for rank, *story in _WORKSPACES),
        (watched, Status.ACTIVE, "Watched by alerts, with a cap on spending", "alerts"),
        (entitled, Status.ACTIVE, "More features than the plan gives", "entitlements"),
    ]
