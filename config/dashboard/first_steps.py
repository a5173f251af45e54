"""What to do first in an empty installation. Disappears step by step, and for good with the first subscription."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.urls import reverse

from billing.models import Subscription
from catalog.models import BillableMetric, Plan
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.models import ApiKey
from customers.models import Customer

STEPS = (
    (ApiKey, "Make an API key", "Engineers send usage and customers with it.", "admin:platform_apikey_changelist"),
    (
        BillableMetric,
        "Define what is counted",
        "A metric counts or sums events.",
        "admin:catalog_billablemetric_changelist",
    ),
    (Plan, "Write a price list", "A plan has a fee and prices for metrics.", "admin:catalog_plan_changelist"),
    (Customer, "Add a customer", "By hand, or through the API.", "admin:customers_customer_changelist"),
    (
        Subscription,
        "Subscribe the customer",
        "Through the API; billing starts by itself.",
        "admin:billing_subscription_changelist",
    ),
)


def blocks(request: HttpRequest) -> Sequence[Block]:
    """The steps with what is done of them; nothing once somebody is subscribed."""
    if Subscription.objects.exists():
        return ()
    rows = []
    for model, title, text, url in STEPS:
        is_done = model.objects.exists()
        state = cells.badge("done", Tone.GOOD) if is_done else cells.badge("to do", Tone.ACCENT)
        may = request.user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
        rows.append(Row((cells.stack(cells.link(title, reverse(url)) if may else title, text), state)))
    return (Table("First steps", columns("Step", ""), tuple(rows)),)
