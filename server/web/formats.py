"""How dates, times and sums are written for a reader; Vietnamese time everywhere.

It decides no wording beyond the calendar's own words.
"""

from datetime import date, datetime

from babel import dates, numbers

from server.clock import HERE

LOCALES = {"vi": "vi_VN", "en": "en_GB"}


def _locale(language: str) -> str:
    return LOCALES.get(language, LOCALES["vi"])


def _local(value: date) -> date:
    return value.astimezone(HERE) if isinstance(value, datetime) else value


def day(value: date, language: str) -> str:
    """Return ``24/11/2026``."""
    return dates.format_date(_local(value), "dd/MM/yyyy", locale=_locale(language))


def long_day(value: date, language: str) -> str:
    """Return ``Thứ Ba, 24/11/2026`` (``Tuesday 24 November 2026`` in English)."""
    form = "full" if language == "en" else "EEEE, dd/MM/yyyy"
    return dates.format_date(_local(value), form, locale=_locale(language))


def weekday(value: date, language: str) -> str:
    """Return ``Thứ Ba``."""
    return dates.format_date(_local(value), "EEEE", locale=_locale(language))


def month(value: date, language: str) -> str:
    """Return ``Tháng 11 năm 2026``."""
    form = "MMMM yyyy" if language == "en" else "'Tháng' M 'năm' yyyy"
    return dates.format_date(_local(value), form, locale=_locale(language))


def clock(value: datetime, language: str) -> str:
    """Return ``09:15``, in Vietnam."""
    return dates.format_datetime(
        value.astimezone(HERE), "HH:mm", tzinfo=HERE, locale=_locale(language)
    )


def moment(value: datetime, language: str) -> str:
    """Return ``09:15, Thứ Ba, 24/11/2026``."""
    return f"{clock(value, language)}, {long_day(value, language)}"


def number(value: float, language: str) -> str:
    """Return ``70.000`` (``70,000`` in English)."""
    return numbers.format_decimal(value, locale=_locale(language))


def dong(value: int, language: str) -> str:
    """Return ``70.000 đồng`` (``VND 70,000`` in English)."""
    sum_ = number(value, language)
    return f"VND {sum_}" if language == "en" else f"{sum_} đồng"
