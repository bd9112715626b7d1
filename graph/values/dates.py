"""Dates as intervals of days: a year is all its days, so what is uncertain stays uncertain."""

from __future__ import annotations

import calendar
from datetime import date
from enum import IntEnum

from pydantic import BaseModel, ConfigDict

from graph.values.errors import Incomparable

Day = tuple[int, int, int]
"""Year (astronomical: 1 BCE is 0), month, day."""

CIRCA_YEARS = 5
"""How far to either side “c. 1870” may reach."""


class Precision(IntEnum):
    """How exact a date is; a larger number is finer."""

    SPAN = 0
    """A range, a decade or a century."""
    YEAR = 1
    MONTH = 2
    DAY = 3


class DateValue(BaseModel):
    """A date: every day from `start` to `end`, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Day
    end: Day
    precision: Precision
    approximate: bool = False

    def compare(self, other: DateValue) -> int:
        """Return -1 if this is certainly before `other`, 1 if after, 0 if they are equal.

        Raises
        ------
        Incomparable
            If they overlap without being equal, as 1990 and 12 May 1990 do.
        """
        if self.end < other.start:
            return -1
        if other.end < self.start:
            return 1
        if self == other:
            return 0
        raise Incomparable(f"{self} and {other} overlap, so their order is not certain")

    @property
    def years(self) -> int:
        """Years from start to end, as one says “from 1978 to 1996”: 18."""
        return self.end[0] - self.start[0]

    def iso(self) -> str:
        """Return the canonical form: 1990-05-12, 1990-05, 1990, or start/end for a span."""
        if self.precision == Precision.DAY:
            form = _iso(*self.start)
        elif self.precision == Precision.MONTH:
            form = _iso(*self.start[:2])
        elif self.precision == Precision.YEAR:
            middle = self.start[0] + CIRCA_YEARS if self.approximate else self.start[0]
            form = _iso(middle)
        else:
            form = f"{_iso(*self.start)}/{_iso(*self.end)}"
        return f"~{form}" if self.approximate else form

    def spoken(self, language: str = "en") -> str:
        """Return the date as a person writes it: 12 May 1990, c. 1870, 44 BCE; 1990年5月12日."""
        chinese = language.startswith("zh")
        about = ("约" if chinese else "c. ") if self.approximate else ""
        if self.precision == Precision.SPAN:
            joint = "至" if chinese else " to "
            ends = (_part(day, self._whole_years, chinese) for day in (self.start, self.end))
            return about + joint.join(ends)
        middle = CIRCA_YEARS if self.approximate and self.precision == Precision.YEAR else 0
        year, month, day = self.start
        return about + _spoken((year + middle, month, day)[: int(self.precision)], chinese)

    @property
    def _whole_years(self) -> bool:
        return self.start[1:] == (1, 1) and self.end[1:] == (12, 31)

    def __str__(self) -> str:
        return self.spoken()


def _part(day: Day, whole_years: bool, chinese: bool) -> str:
    return _spoken(day[:1] if whole_years else day, chinese)


def _spoken(parts: tuple[int, ...], chinese: bool) -> str:
    year = 1 - parts[0] if parts[0] <= 0 else parts[0]
    if chinese:
        before = "公元前" if parts[0] <= 0 else ""
        return before + "".join(
            f"{n}{u}" for n, u in zip((year, *parts[1:]), "年月日", strict=False)
        )
    era = " BCE" if parts[0] <= 0 else ""
    named = [calendar.month_name[parts[1]]] if len(parts) > 1 else []
    return " ".join([*map(str, parts[2:]), *named, f"{year}{era}"])


def _iso(year: int, *rest: int) -> str:
    sign, magnitude = ("-", -year) if year < 0 else ("", year)
    return sign + "-".join([f"{magnitude:04d}", *(f"{part:02d}" for part in rest)])


def full_days(value: DateValue) -> date | None:
    """Return the calendar day of a day-precise date of our era, else None."""
    if value.precision != Precision.DAY or value.approximate or not 1 <= value.start[0] <= 9999:
        return None
    try:
        return date(*value.start)
    except ValueError:  # 29 February 1500: a Julian day that Python's calendar lacks
        return None
