"""Years that are not counted from the birth of Christ: iPhones in some countries write them."""

from __future__ import annotations

from datetime import date

from infrastructure.readers.date_order import Triple

_BUDDHIST = range(2552, 2643)  # the years 2009 to 2099 in Thailand
_PERSIAN = range(1387, 1420)  # the years 2008 to 2041 in Iran and Afghanistan
_ISLAMIC = range(1429, 1480)
_BEFORE_PERSIAN_ERA = 226_891  # such that 1 Farvardin 1402 is 21 March 2023


def gregorian(day: Triple) -> date:
    """
    Args:
        day: year, month and day as the phone wrote them.

    Raises:
        ValueError: if there is no such day, or its calendar cannot be converted.
    """
    year, month, number = day
    if 1970 <= year < 2200:
        return date(year, month, number)
    if year in _BUDDHIST:
        return date(year - 543, month, number)
    if year in _PERSIAN:
        return _from_persian(year, month, number)
    if year in _ISLAMIC:
        raise ValueError("the Islamic calendar; export again with the Gregorian one")
    raise ValueError(f"year {year}")


def _from_persian(year: int, month: int, day: int) -> date:
    """By the cycle of 33 years, which agrees with the observed new years of 1178 to 1633."""
    if not 1 <= month <= 12 or not 1 <= day <= (31 if month <= 6 else 30):
        raise ValueError("day is out of range for month")
    cycles, year_in_cycle = divmod(year + 11, 33)
    leap_days = 8 * cycles + (year_in_cycle + 3) // 4
    months = 31 * (month - 1) - max(0, month - 7)
    return date.fromordinal(_BEFORE_PERSIAN_ERA + 365 * (year - 1) + leap_days + months + day)
