"""What of the catalogue may need a second person. Owns the codes; rules and requests are the platform's."""

from __future__ import annotations

from config.platform.services import approval_actions
from config.platform.services.approval_actions import Action

PUBLISH_PRICES = "publish_prices"

approval_actions.register(Action(PUBLISH_PRICES, "Publish prices of a plan", "catalog.change_plan"))
