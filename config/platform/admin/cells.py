"""How single values look on admin pages: money, numbers, rates, days, instants, badges and links.

Figures follow the reader's language and the currency's own number of digits. Each function gives safe HTML, so that a
value looks the same in a list, in a table and in a figure. Owns no layout; that is the blocks'.
"""

from __future__ import annotations

import copy
import functools
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from babel import Locale, UnknownLocaleError, numbers
from django.db import models
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from moneyed import Money

from config.kernel import dates
from config.kernel import money as kernel_money

EMPTY = format_html('<span class="q-muted">{}</span>', "–")
_MOMENT = timedelta(microseconds=1)


class Tone(StrEnum):
    """What a colour says."""

    NEUTRAL = "neutral"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    ACCENT = "accent"


def badge(text: object, tone: Tone | str = Tone.NEUTRAL) -> SafeString:
    """A short word on a coloured ground."""
    return format_html('<span class="q-badge q-tone-{}">{}</span>', str(tone), text)


def link(text: object, url: str) -> SafeString:
    """A link inside the admin."""
    return format_html('<a class="q-link" href="{}">{}</a>', url, text)


def page_url(instance: models.Model) -> str:
    """The address of an object's admin page."""
    return reverse(f"admin:{instance._meta.app_label}_{instance._meta.model_name}_change", args=[instance.pk])


def to(instance: models.Model | None, text: object = None) -> SafeString:
    """A link to an object's admin page, named like the object."""
    return EMPTY if instance is None else link(str(instance) if text is None else text, page_url(instance))


def to_if_seen(instance: models.Model | None, user: Any) -> SafeString:
    """A link to an object's admin page for whoever may look at it; for others what it is called."""
    if instance is None:
        return EMPTY
    meta = instance._meta
    if user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
        return to(instance)
    return format_html("{}", instance)


def stack(first: object, second: object) -> SafeString:
    """Two lines: the thing itself, and something smaller about it."""
    if not second:
        return format_html('<span class="q-stack"><span>{}</span></span>', first)
    return format_html('<span class="q-stack"><span>{}</span><span class="q-sub">{}</span></span>', first, second)


def code(text: object) -> SafeString:
    """An identifier that programs use."""
    return format_html('<code class="q-code">{}</code>', text) if text else EMPTY


def nowrap(text: object) -> SafeString:
    """A word that stays on one line."""
    return format_html('<span class="q-nowrap">{}</span>', text)


def hinted(text: object, whole: object) -> SafeString:
    """Something shortened; all of it shows on pointing."""
    return format_html('<span class="q-hinted" title="{}">{}</span>', whole, text)


def muted(text: object) -> SafeString:
    """Something of less weight."""
    return format_html('<span class="q-muted">{}</span>', text)


def money(amount: Money | None) -> SafeString:
    """An amount with the digits of its currency, aligned to the right."""
    return EMPTY if amount is None else _figure(money_text(amount), is_zero=not amount.amount)


def money_text(amount: Money) -> str:
    """An amount as plain text: "€1,234.56", "¥1,235"."""
    currency = amount.currency.code
    digits = kernel_money.exponent(currency)
    return _written(amount.amount, currency, digits, digits)


def unit_price(value: Decimal, currency: str) -> SafeString:
    """A price of one unit: at least the currency's digits, and as many more as it needs."""
    return _figure(unit_price_text(value, currency), is_zero=not value)


def unit_price_text(value: Decimal, currency: str) -> str:
    """A price of one unit as plain text: "€0.00012"."""
    return _written(value, currency, kernel_money.exponent(currency), 12)


def number(value: Decimal | int | None) -> SafeString:
    """A quantity: grouped, without trailing zeros, aligned to the right."""
    return EMPTY if value is None else _figure(number_text(value), is_zero=not value)


def number_text(value: Decimal | int) -> str:
    """A quantity as plain text: "12,345.67"."""
    return str(numbers.format_decimal(value, format="#,##0.############", locale=locale()))


def percent(rate: Decimal) -> SafeString:
    """A rate that is a fraction, as percent: 0.19 is 19 %."""
    return _figure(percent_text(rate), is_zero=not rate)


def percent_text(rate: Decimal) -> str:
    """A rate as plain text: "19%"."""
    return str(numbers.format_percent(rate, format="#,##0.######%", locale=locale()))


def day(value: date | None) -> SafeString:
    """A calendar day."""
    return EMPTY if value is None else format_html('<span class="q-nowrap">{}</span>', day_text(value))


def day_text(value: date) -> str:
    """A calendar day as plain text: "31 May 2026"."""
    return str(formats.date_format(value, "j M Y"))


def day_of(at: datetime, tz: str = "") -> str:
    """The day of a moment as plain text, in a time zone or else the installation's."""
    return day_text(timezone.localtime(at, dates.zone(tz) if tz else None).date())


def instant(at: datetime | None) -> SafeString:
    """A moment, to the minute, in the installation's time zone, which every page names once; seconds on pointing."""
    if at is None:
        return EMPTY
    local = timezone.localtime(at)
    exact = f"{local.isoformat(sep=' ', timespec='seconds')} {local.tzname()}"
    return format_html('<time class="q-nowrap" title="{}">{}</time>', exact, instant_text(at))


def instant_text(at: datetime) -> str:
    """A moment as plain text, in the installation's time zone: "31 May 2026 14:05"."""
    return str(formats.date_format(timezone.localtime(at), "j M Y H:i"))


def local_day(at: datetime | None, tz: str) -> SafeString:
    """The day of a moment in a time zone; the moment shows on pointing."""
    if at is None:
        return EMPTY
    local = timezone.localtime(at, dates.zone(tz))
    exact = f"{local.isoformat(sep=' ', timespec='seconds')} {local.tzname()}"
    return format_html('<time class="q-nowrap" title="{}">{}</time>', exact, day_text(local.date()))


def period_text(from_at: datetime, to_at: datetime, tz: str) -> str:
    """A half-open time as the days that a person would name: "1 May 2026 – 31 May 2026"."""
    zone = dates.zone(tz)
    first = dates.local_date(from_at, zone)
    last = dates.local_date(to_at - _MOMENT, zone) if to_at > from_at else first
    return day_text(first) if first == last else f"{day_text(first)} – {day_text(last)}"


def locale() -> Locale:
    """The reader's language, for figures."""
    return _locale(translation.get_language() or "en")


@functools.cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(translation.to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def _written(value: Decimal, currency: str, least: int, most: int) -> str:
    pattern = _currency_pattern(locale(), least, most)
    text = str(pattern.apply(value, locale(), currency=currency, currency_digits=False))
    symbol = numbers.get_currency_symbol(currency, locale())
    before, found, after = text.partition(symbol)
    if symbol[-1:].isalpha() and after[:1].isdigit():  # "BHD 1.234": letters keep a distance from digits
        return f"{before}{found}\xa0{after}"
    return text


@functools.cache
def _currency_pattern(language: Locale, least: int, most: int) -> numbers.NumberPattern:
    """The language's way to write money, with our own numbers of decimals: the kernel's, not the language data's."""
    pattern = copy.copy(language.currency_formats["standard"])
    pattern.frac_prec = (least, most)
    return pattern


def _figure(text: str, *, is_zero: bool) -> SafeString:
    return format_html('<span class="q-num{}">{}</span>', " q-zero" if is_zero else "", text)
