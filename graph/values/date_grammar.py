"""The grammar of dates in English and Chinese text.

It is explicit instead of a date library's: those guess missing parts from today's date and take
milliseconds a string, and answers are read thousands of times in one vote.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import lru_cache

from graph.values.dates import CIRCA_YEARS, DateValue, Precision
from graph.values.letters import lowered

_MONTHS = {name.lower(): n for n, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name[:3]: n for name, n in _MONTHS.items()} | {"sept": 9}
_MONTH = r"(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_D = r"(?:0?[1-9]|[12]\d|3[01])"
_ORDINAL = _D + r"(?:st|nd|rd|th)?"
_ERA = r"(?:\s*(?P<era{n}>BCE?|B\.C\.(?:E\.)?|CE|C\.E\.|AD|A\.D\.)(?!\w))?"
_Y = r"(?P<y{n}>\d{{3,4}})(?!\d|,\d{{3}})" + _ERA
_COUNTED = (
    r"\s*(?:%|(?:km|k?m²|m|cm|kg|miles?|feet|ft|met(?:re|er)s?|kilomet(?:re|er)s?|hectares?|acres?|"
    r"years|days|hours|minutes|seconds|tonn?e?s|dollars|euros|people|inhabitants|residents)\b)"
)
"""What makes four digits a quantity and not a year."""
_DASH = r"\s*(?:-|–|—|−|~|to|until|till|至|到)\s*"
_DASH_OR_AND = _DASH.replace("|to|", "|to|and|")
"""Between two days of one month, where “and” cannot part two dates that are whole."""
_ZH_DIGITS = "〇零○一二三四五六七八九"
_ZH_VALUE = {"〇": 0, "零": 0, "○": 0} | {c: i for i, c in enumerate("一二三四五六七八九", 1)}
_ZH_YEAR = rf"(?:\d{{1,4}}|[{_ZH_DIGITS}]{{2,4}})"
_ZH_SMALL = r"(?:\d{1,2}|[一二三四五六七八九十廿卅]{1,3})"


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w/.-])" + template, re.IGNORECASE)


def _year_group(n: str = "") -> str:
    return _Y.format(n=n)


def _small(text: str) -> int:
    """Read a Chinese or Arabic number below 100."""
    if text.isdigit():
        return int(text)
    text = text.replace("廿", "二十").replace("卅", "三十")
    tens, ten, ones = text.partition("十")
    if not ten:
        return _ZH_VALUE.get(text, 0)
    return (_ZH_VALUE.get(tens, 1) if tens else 1) * 10 + _ZH_VALUE.get(ones, 0)


def _zh_year(text: str) -> int:
    return int("".join(str(_ZH_VALUE.get(char, char)) for char in text))


def _astronomical(year: int, era: str | None) -> int:
    return 1 - year if era and era.upper().startswith("B") else year


def _build(year: int, month: int | None = None, day: int | None = None) -> DateValue | None:
    if month is None:
        return DateValue(start=(year, 1, 1), end=(year, 12, 31), precision=Precision.YEAR)
    if not 1 <= month <= 12:
        return None
    length = 29 if month == 2 and _leap(year) else calendar.monthrange(2001, month)[1]
    if day is None:
        start, end = (year, month, 1), (year, month, length)
        return DateValue(start=start, end=end, precision=Precision.MONTH)
    if not 1 <= day <= length:
        return None
    return DateValue(start=(year, month, day), end=(year, month, day), precision=Precision.DAY)


def _leap(year: int) -> bool:
    # Before the reform every fourth year was one, and texts keep the dates of their time.
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0 or year < 1582)


def _span(first: DateValue | None, last: DateValue | None) -> DateValue | None:
    if first is None or last is None or last.end < first.start:
        return None
    return DateValue(start=first.start, end=last.end, precision=Precision.SPAN)


def _month(name: str) -> int:
    return _MONTHS[lowered(name.rstrip("."))]


def _day_month_year(m: re.Match[str]) -> DateValue | None:
    day = int(re.sub(r"\D", "", m["d"])) if m["d"] else None
    return _build(_astronomical(int(m["y"]), m["era"]), _month(m["m"]), day)


def _iso_date(m: re.Match[str]) -> DateValue | None:
    return _build(int(m["y"]), int(m["m"]), int(m["d"]) if m["d"] else None)


def _slashes(m: re.Match[str]) -> DateValue | None:
    first, second, year = int(m["a"]), int(m["b"]), int(m["y"])
    if first == second or first > 12:
        return _build(year, second, first)
    if second > 12:
        return _build(year, first, second)
    return _build(year)  # 05/06/1990: which is the month cannot be known, so only the year is read


def _chinese(m: re.Match[str]) -> DateValue | None:
    year = _astronomical(_zh_year(m["y"]), "BC" if m["bc"] else None)
    month = _small(m["m"]) if m["m"] else None
    return _build(year, month, _small(m["d"]) if m["d"] else None)


def _century(number: int, bc: bool) -> DateValue | None:
    if not 1 <= number <= 30:
        return None
    last = 1 - (100 * (number - 1) + 1) if bc else 100 * number
    return _span(_build(last - 99), _build(last))


def _decade(m: re.Match[str]) -> DateValue | None:
    first = int(m["y"])
    return _span(_build(first), _build(first + 9))


def _chinese_decade(m: re.Match[str]) -> DateValue | None:
    first = (_small(m["c"]) - 1) * 100 + _small(m["t"])
    return _span(_build(first), _build(first + 9)) if first % 10 == 0 else None


def _year_range(m: re.Match[str]) -> DateValue | None:
    last = int(m["y2"])
    if len(m["y2"]) == 2:  # 1998–99
        last += int(m["y1"]) // 100 * 100
    era2 = m["era2"]
    era1 = m["era1"] or era2
    first = _build(_astronomical(int(m["y1"]), era1))
    return _span(first, _build(_astronomical(last, era2)))


def _plain_year(m: re.Match[str]) -> DateValue | None:
    year = int(m["y"])
    if year == 0 or (not m["era"] and not 1000 <= year <= 2199):
        return None
    return _build(_astronomical(year, m["era"]))


def _era_year(m: re.Match[str]) -> DateValue | None:
    return _build(_astronomical(int(m["y"]), m["e"])) if int(m["y"]) else None


def _day_range(m: re.Match[str]) -> DateValue | None:
    year, month = _astronomical(int(m["y"]), m["era"]), _month(m["m"])
    first, last = (int(re.sub(r"\D", "", m[d])) for d in ("d1", "d2"))
    return _span(_build(year, month, first), _build(year, month, last))


_MAYBE = re.compile(r"\d|[年世]")
_SIGNS = {
    "dash": re.compile(r"\d-\d"),
    "stroke": re.compile(r"\d[/.]\d"),
    "month": re.compile("|".join({month[:3] for month in _MONTHS}), re.IGNORECASE),
    "year": re.compile("年"),
    "century": re.compile("世纪|century", re.IGNORECASE),
    "decade": re.compile(r"\d0[’']?s", re.IGNORECASE),
    "era": re.compile(r"AD|A\.D\.|BC|B\.C\.|CE|C\.E\.", re.IGNORECASE),
    "digits": re.compile(r"\d{3}"),
}
"""What no date of a form is without: quick to look for, where the form itself is slow."""
_SINGLE: list[tuple[str, re.Pattern[str], Callable[[re.Match[str]], DateValue | None]]] = [
    ("dash", _pattern(r"(?P<y>\d{4})-(?P<m>\d{1,2})(?:-(?P<d>\d{1,2}))?(?![\d-])"), _iso_date),
    ("stroke", _pattern(r"(?P<y>\d{4})[/.](?P<m>\d{1,2})[/.](?P<d>\d{1,2})(?!\d)"), _iso_date),
    ("stroke", _pattern(r"(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<y>\d{4})(?!\d)"), _slashes),
    (
        "month",
        _pattern(
            rf"(?:(?:the\s+)?(?P<d>{_ORDINAL})(?:\s+day)?(?:\s+of)?[\s-]*)?(?P<m>{_MONTH})"
            rf"(?:\s+of)?(?:\s+|,\s*|-){_year_group()}"
        ),
        _day_month_year,
    ),
    (
        "month",
        _pattern(rf"(?P<m>{_MONTH})\s*(?P<d>{_ORDINAL})(?:\s+|\s*,\s*){_year_group()}"),
        _day_month_year,
    ),
    (
        "month",
        _pattern(
            rf"(?P<d1>{_ORDINAL}){_DASH_OR_AND}(?P<d2>{_ORDINAL})\s+(?P<m>{_MONTH})"
            rf"(?:\s+|,\s*){_year_group()}"
        ),
        _day_range,
    ),
    (
        "month",
        _pattern(
            rf"(?P<m>{_MONTH})\s+(?P<d1>{_ORDINAL}){_DASH_OR_AND}(?P<d2>{_ORDINAL})"
            rf"(?:\s+|,\s*){_year_group()}"
        ),
        _day_range,
    ),
    (
        "year",
        re.compile(
            rf"(?:公元)?(?P<bc>前)?(?<!\d)(?P<y>{_ZH_YEAR})\s*年(?!代|间|级|前|后)"
            rf"(?:\s*(?P<m>{_ZH_SMALL})\s*月(?:\s*(?P<d>{_ZH_SMALL})\s*[日号])?)?"
        ),
        _chinese,
    ),
    ("century", re.compile(rf"(?P<c>{_ZH_SMALL})世纪(?P<t>{_ZH_SMALL})年代"), _chinese_decade),
    ("year", re.compile(r"(?<!\d)(?P<y>\d{3}0)年代"), _decade),
    (
        "century",
        re.compile(rf"(?:公元)?(?P<bc>前)?(?P<c>{_ZH_SMALL})世纪(?!\d|[一二三四五六七八九])"),
        lambda m: _century(_small(m["c"]), bool(m["bc"])),
    ),
    (
        "century",
        _pattern(r"(?P<c>\d{1,2})(?:st|nd|rd|th)[\s-]+century(?P<bc>\s+B\.?C\.?(?:E\.?)?)?"),
        lambda m: _century(int(m["c"]), bool(m["bc"])),
    ),
    ("decade", _pattern(r"(?P<y>\d{3}0)[’']?s(?!\w)"), _decade),
    ("era", _pattern(r"(?P<e>AD|A\.D\.|BCE?|CE)\s*(?P<y>\d{1,4})(?!\d)"), _era_year),
    (
        "era",
        _pattern(r"(?P<y>\d{1,4})\s*(?P<e>BCE?|B\.C\.(?:E\.)?|CE|C\.E\.|AD|A\.D\.)(?!\w)"),
        _era_year,
    ),
    (
        "digits",
        _pattern(
            rf"(?P<y1>\d{{3,4}})(?:\s*(?P<era1>BCE?|CE|AD))?{_DASH}"
            r"(?P<y2>\d{3,4}|(?<=[-–])\d{2})(?!\d|,\d{3}|[/.-]\d)"
            r"(?:\s*(?P<era2>BCE?|CE|AD)(?!\w))?"
        ),
        _year_range,
    ),
    ("digits", _pattern(_year_group() + rf"(?![%/.-]?\d|\w|{_COUNTED})"), _plain_year),
]
_CIRCA = re.compile(
    r"(?:\b(?:circa|ca?\.|about|around|approximately|before|after|by)\s*(?:the\s+)?|[~约])$",
    re.IGNORECASE,
)
_RANGE_JOINT = re.compile(rf"^{_DASH}$", re.IGNORECASE)
_BETWEEN = re.compile(r"\bbetween\s+$", re.IGNORECASE)
_SHARED_YEAR = re.compile(
    rf"(?<!\w)(?:(?P<d1>{_ORDINAL})\s+(?P<m1>{_MONTH})|(?P<m2>{_MONTH})\s+(?P<d2>{_ORDINAL}))"
    rf"{_DASH_OR_AND}$",
    re.IGNORECASE,
)
_BARE_YEAR = re.compile(r"^\s*(?:in\s+)?(\d{3,4})\s*\.?$", re.IGNORECASE)


def _singles(text: str) -> list[tuple[int, int, DateValue]]:
    """Return (start, end, value) of every date in `text`, left to right, the longest at a place."""
    if not _MAYBE.search(text):
        return []
    raw: list[tuple[int, int, DateValue]] = []
    signs = {name for name, sign in _SIGNS.items() if sign.search(text)}
    for sign, pattern, read in _SINGLE:
        for match in pattern.finditer(text) if sign in signs else ():
            value = read(match)
            if value is not None:
                raw.append((match.start(), match.end(), value))
    kept: list[tuple[int, int, DateValue]] = []
    for item in sorted(raw, key=lambda item: (item[0] - item[1], item[0])):
        at = bisect_left(kept, item[0], key=lambda kept: kept[0])
        after_the_last = at == 0 or kept[at - 1][1] <= item[0]
        before_the_next = at == len(kept) or item[1] <= kept[at][0]
        if after_the_last and before_the_next:
            kept.insert(at, item)
    return kept


@lru_cache(maxsize=8192)
def _found(text: str) -> tuple[tuple[int, int, DateValue], ...]:
    """Return (start, end, value) of every date in `text`, left to right.

    What stands around a dash is joined into one span, what stands after “circa” marked. Of one
    text it is asked often: whether it is a date, which, and what it is without.
    """
    return tuple(_joined(_singles(text), text))


def _joined(
    found: list[tuple[int, int, DateValue]], text: str
) -> Iterator[tuple[int, int, DateValue]]:
    index = 0
    while index < len(found):
        start, end, value = found[index]
        circa = _CIRCA.search(text[max(0, start - 24) : start])
        if circa:
            start -= len(circa[0])
            value = _blurred(value)
        shared = _SHARED_YEAR.search(text[max(0, start - 40) : start])
        if shared and value.precision == Precision.DAY:
            day = int(re.sub(r"\D", "", shared["d1"] or shared["d2"]))
            first = _build(value.start[0], _month(shared["m1"] or shared["m2"]), day)
            joined = _span(first, value)
            if joined:
                start, value = start - len(shared[0]), joined
        elif index + 1 < len(found):
            next_start, next_end, following = found[index + 1]
            between = text[end:next_start]
            joint = _RANGE_JOINT.match(between) is not None or (
                between.strip() == "and"
                and _BETWEEN.search(text[max(0, start - 24) : start]) is not None
            )
            joined = _span(value, following) if joint else None
            if joined:
                end, value, index = next_end, joined, index + 1
        yield start, end, value
        index += 1


def _blurred(value: DateValue) -> DateValue:
    (y1, m1, d1), (y2, m2, d2) = value.start, value.end
    if value.precision > Precision.YEAR:
        return value.model_copy(update={"approximate": True})
    return DateValue(
        start=(y1 - CIRCA_YEARS, m1, d1),
        end=(y2 + CIRCA_YEARS, m2, d2),
        precision=value.precision,
        approximate=True,
    )


@lru_cache(maxsize=8192)
def dates_in(text: str) -> tuple[DateValue, ...]:
    """Return every date that `text` holds, left to right."""
    bare = _BARE_YEAR.match(text)
    if bare and int(bare[1]):
        year = _build(int(bare[1]))
        return (year,) if year else ()
    return tuple(value for _, _, value in _found(text))


def parse_date(text: str) -> DateValue | None:
    """Return the date that `text` holds: its most precise one, the first of equals, or None.

    Examples
    --------
    >>> [str(parse_date(text)) for text in ("June 19, 2013", "1998年5月", "44 BC")]
    ['19 June 2013', 'May 1998', '44 BCE']
    >>> parse_date("five films") is None
    True
    """
    found = dates_in(text)
    return max(found, key=lambda value: value.precision) if found else None


def is_date(text: str) -> bool:
    """Return whether `text` is a date and nothing else (“May 1990”, not “a film of May 1990”)."""
    bare = _BARE_YEAR.match(text)
    if bare:
        return 1000 <= int(bare[1]) <= 2199
    found = list(_found(text))
    if len(found) != 1:
        return False
    start, end, _ = found[0]
    rest = (text[:start] + text[end:]).strip(" .,;()（）[]，。")
    return rest.lower() in {"", "in", "on", "the", "于", "在", "early", "late"}


def replace_dates(text: str) -> str:
    """Return `text` with each date of month or day precision in its ISO form.

    Years and spans stay as they are written, so that a part of a text keeps its form in the whole.
    """
    pieces, last = [], 0
    for start, end, value in _singles(text):
        if value.precision >= Precision.MONTH:
            pieces += [text[last:start], value.iso()]
            last = end
    return "".join([*pieces, text[last:]])
