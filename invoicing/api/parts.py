"""What this app shows on behalf of upper apps: the shape of a fee, which they give to what is not billed yet."""

from __future__ import annotations

from config.platform.api import representations
from invoicing.api.fee_shapes import Fee

representations.register("invoicing.fee", Fee)
