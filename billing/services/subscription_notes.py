"""What the audit trail keeps of a subscription. Owns the choice of facts; writing them is the platform's."""

from __future__ import annotations

from typing import Any

from billing.models import Subscription


def facts(subscription: Subscription) -> dict[str, Any]:
    """Return what tells a state of a subscription from another one."""
    return {
        "status": subscription.status,
        "plan": subscription.plan_version.plan.code,
        "plan_version": subscription.plan_version.number,
        "subscription_at": subscription.subscription_at,
        "started_at": subscription.started_at,
        "ending_at": subscription.ending_at,
        "terminated_at": subscription.terminated_at,
    }
