"""Fixed charges: an agreed number of an add-on. Owns which models price them and which of their terms go together."""

from __future__ import annotations

from catalog.domain.pricing.models import ChargeModel
from config.kernel import errors

MODELS = (ChargeModel.STANDARD, ChargeModel.GRADUATED, ChargeModel.VOLUME)
"""The models that price a number alone; the others are about events."""


class TermsDisagree(errors.Invalid):
    """The terms of a fixed charge do not go together."""


def check(*, model: str, pay_in_advance: bool, prorated: bool) -> None:
    """Check the terms of a fixed charge.

    Units that are added within a period are priced on their own in advance: at which price of a volume, or in which
    tier for some of the days, is not known then. Raises TermsDisagree with a code per field.
    """
    details: dict[str, list[str]] = {}
    if not model:
        details["charge_model"] = ["value_is_mandatory"]
    elif model not in MODELS:
        details["charge_model"] = ["value_is_invalid"]
    elif pay_in_advance and model == ChargeModel.VOLUME:
        details["pay_in_advance"] = ["invalid_charge_model"]
    elif pay_in_advance and prorated and model == ChargeModel.GRADUATED:
        details["prorated"] = ["invalid_charge_model"]
    if details:
        raise TermsDisagree("validation_errors", f"Terms do not go together: {', '.join(details)}.", details)
