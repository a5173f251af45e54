"""Rounded parts of a rounded whole: what stands in a list adds up to the figure that it explains. Knows no report.

Unlike a split by weights the parts are known, only not rounded yet; each is rounded for itself, and the cents that are
then missing or too many go to the parts that were rounded furthest the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from moneyed import Money

from config.kernel import errors, money


class PartsDoNotFit(errors.Invalid):
    """The parts are not those of the whole."""


def spread(*, parts: Sequence[Decimal], whole: Money) -> list[Money]:
    """Return unrounded parts rounded so that they sum to the rounded ``whole``, in its currency.

    Each is off its own rounding by at most one minor unit; a part of nothing stays nothing, and ties go to the earlier
    part. Raises PartsDoNotFit where the whole is further away from the sum than rounding explains.
    """
    code = whole.currency.code
    with localcontext(money.DECIMAL_CONTEXT):
        rounded = [money.to_minor(Money(money.quantize(part, currency=code), code)) for part in parts]
        left = money.to_minor(whole) - sum(rounded)
        step = 1 if left > 0 else -1
        unit = money.from_minor(1, code).amount
        errors_made = {
            place: (part - rounded[place] * unit) * step for place, part in enumerate(parts) if left and part
        }
    if abs(left) > len(errors_made):
        raise PartsDoNotFit("parts_do_not_fit", f"The parts do not come to {whole.amount} {code}.")
    furthest = sorted(errors_made, key=lambda place: (-errors_made[place], place))
    for place in furthest[: abs(left)]:
        rounded[place] += step
    return [money.from_minor(minor, code) for minor in rounded]
