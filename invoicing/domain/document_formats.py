"""How documents write figures: money, prices, quantities, rates and days, in the conventions of a language.

Owns the notation only. Amounts arrive rounded; what is not rounded (prices, parts of a sum) is written with the digits
it has, up to a limit that is rounded half up. The decimals of a currency are the kernel's, not those of the CLDR, which
follow how people pay cash.
"""

from __future__ import annotations

import copy
import decimal
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import babel
from babel import dates, numbers
from moneyed import Money

from config.kernel import money

PRICE_PLACES = 12  # the catalogue keeps so many digits of a price
AVERAGE_PLACES = 6  # anything longer is an average, and its tail tells nobody anything
PART_PLACES = 2  # decimals of a part of a sum beyond those of the currency
UNIT_PLACES = 15

_LETTER_BEFORE_DIGIT = re.compile(r"([^\W\d_])(\d)")


@dataclass(frozen=True, slots=True)
class Formats:
    """Writes figures in the conventions of a CLDR locale ("de", "en_GB")."""

    conventions: str

    @property
    def locale(self) -> babel.Locale:
        """Return the conventions themselves."""
        return babel.Locale.parse(self.conventions)

    def money(self, amount: Money) -> str:
        """Write a rounded amount with exactly the decimals of its currency: 1.234,56 €. Raises Invalid if unrounded."""
        money.to_minor(amount)
        places = money.exponent(amount.currency.code)
        return self._currency(amount.amount, amount.currency.code, places, places)

    def price(self, amount: Decimal, *, currency: str) -> str:
        """Write the price of a unit with as many decimals as it has, at least those of the currency: 0,00012 €."""
        exponent = money.exponent(currency)
        exact = money.round_half_up(amount, PRICE_PLACES)
        shown = exact if exact == amount else money.round_half_up(amount, max(AVERAGE_PLACES, exponent))
        return self._currency(shown, currency, exponent, PRICE_PLACES)

    def part(self, amount: Decimal, *, currency: str) -> str:
        """Write an unrounded part of a sum with two decimals more than the currency where they are not zero."""
        exponent = money.exponent(currency)
        places = exponent + PART_PLACES
        return self._currency(money.round_half_up(amount, places), currency, exponent, places)

    def units(self, value: Decimal) -> str:
        """Write a quantity: thousands grouped, no trailing zeros."""
        pattern = copy.copy(self.locale.decimal_formats[None])
        pattern.frac_prec = (0, UNIT_PLACES)
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return str(pattern.apply(money.round_half_up(value, UNIT_PLACES), self.locale))

    def rate(self, fraction: Decimal) -> str:
        """Write a rate that is given as a fraction: 0.19 as 19 %, 0.0725 as 7.25%."""
        pattern = copy.copy(self.locale.percent_formats[None])
        pattern.frac_prec = (0, UNIT_PLACES)
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return str(pattern.apply(fraction, self.locale))

    def day(self, day: date) -> str:
        """Write a local date: 15.06.2026, Jun 15, 2026."""
        return dates.format_date(day, "medium", locale=self.locale)

    def days(self, first: date, last: date) -> str:
        """Write a stretch of days, both included, without saying anything twice: 1.–31. Mai 2026."""
        if first == last:
            return dates.format_skeleton("yMMMd", first, locale=self.locale)
        return dates.format_interval(first, last, "yMMMd", locale=self.locale)

    def _currency(self, amount: Decimal, currency: str, fewest: int, most: int) -> str:
        pattern: numbers.NumberPattern = copy.copy(self.locale.currency_formats["standard"])
        pattern.frac_prec = (fewest, most)
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            text = str(pattern.apply(amount, self.locale, currency=currency, currency_digits=False))
        # The CLDR asks for a space between a currency's letters and a figure (CHF 12.00), which the library leaves out.
        return _LETTER_BEFORE_DIGIT.sub("\\1\u00a0\\2", text)
