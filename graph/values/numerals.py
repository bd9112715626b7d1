"""Numbers with units and magnitudes, in digits or in words, English and Chinese.

Units convert within one dimension (miles to kilometres); money does not convert between currencies,
whose rates move. A noun is no unit: “five films” and “5” are the same number.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from graph.values.errors import Incomparable
from graph.values.letters import lowered


class NumberValue(BaseModel):
    """A number, with its unit where it has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Decimal
    """As written, in `unit`."""
    unit: str | None = None
    """Key of `units.json` (“km”), or None for a plain number."""
    dimension: str | None = None
    """What the unit measures (“length”): numbers compare within one dimension only."""
    factor: Decimal = Decimal(1)
    """Value × factor is in the dimension's base unit."""

    @property
    def base(self) -> Decimal:
        return self.value * self.factor

    def compare(self, other: NumberValue) -> int:
        """Return -1, 0 or 1 as this is smaller than, equal to or larger than `other`.

        Raises
        ------
        Incomparable
            If they measure different things, or only one of them has a unit.
        """
        if self.dimension != other.dimension:
            raise Incomparable(
                f"{self} is {self.dimension or 'a plain number'} and "
                f"{other} is {other.dimension or 'a plain number'}"
            )
        return (self.base > other.base) - (self.base < other.base)

    def converted(self, value_in_base: Decimal) -> NumberValue:
        """Return `value_in_base` (of this dimension's base unit) in this number's unit."""
        return self.model_copy(update={"value": value_in_base / self.factor})

    def __str__(self) -> str:
        number = plain(self.value)
        if self.unit is None:
            return number
        if self.dimension in MONEY:
            whole = self.value == self.value.to_integral_value()
            amount = f"{self.value:,.0f}" if whole else f"{self.value:,.2f}"
            return f"{amount}元" if self.unit == "元" else f"{self.unit.removeprefix('US')}{amount}"
        if self.unit in {"%", "°C", "°F"}:
            return f"{number}{self.unit}"
        plural = "s" if self.dimension == "duration" and self.value != 1 else ""
        return f"{number} {self.unit}{plural}"


def plain(value: Decimal) -> str:
    """Return the number in digits, rounded to six places, without an exponent or empty decimals."""
    # Formatting knows no limit of digits, as `round` does: it fails on more than 28.
    return f"{value:.6f}".rstrip("0").rstrip(".")


MONEY = {"US dollars", "euros", "pounds sterling", "yen", "renminbi", "rupees"}
_UNITS: dict[str, tuple[str, str, Decimal]] = {}
for _dimension, _units in json.loads(
    (files("graph.values") / "units.json").read_text(encoding="utf-8")
).items():
    for _unit, (_factor, _names) in _units.items():
        for _name in _names:
            _UNITS[_name] = (_unit, _dimension, Decimal(str(_factor)))
UNIT_NAMES: dict[str, tuple[str, ...]] = {
    dimension: tuple(name for name, unit in _UNITS.items() if unit[1] == dimension)
    for dimension in {unit[1] for unit in _UNITS.values()}
}
"""Dimension to all names of its units."""
_ONE_TO_TEN = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TEENS = ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen")
_ONES = {
    word: number
    for number, word in enumerate(("zero", *_ONE_TO_TEN, *_TEENS, "eighteen", "nineteen"))
}
_TENS = {
    word: number * 10
    for number, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_SCALES = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_SHORT_SCALES = {"k": 10**3, "bn": 10**9, "tn": 10**12}
_ZH_DIGIT = {"〇": 0, "零": 0, "两": 2} | {c: i for i, c in enumerate("一二三四五六七八九", 1)}
_ZH_SCALE = {"十": 10, "百": 100, "千": 1000}
_ZH_MYRIAD = {"万": 10**4, "亿": 10**8}

_WORDS = "|".join([*_ONES, *_TENS, *(s for s in _SCALES)])
_SPELT = re.compile(
    rf"(?<![\w-])(?:an?\s+(?=(?:dozen|hundred|thousand|million|billion|trillion)\b))?"
    rf"(?:{_WORDS})(?:(?:\s+|-|\s+and\s+)(?:{_WORDS}))*(?![\w-])",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"(?<![^\W\u4e00-\u9fff])(?<![.,/-])(?P<sign>[-−](?=\d))?(?P<n>\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\d])"
    r"(?!(?:st|nd|rd|th)\b)"
    r"(?:\s*(?P<zh>[十百千]?[万亿]+)(?P<rest>\d{1,4}(?!\d)[十百千万]?)?"
    r"|\s*(?P<scale>dozen|hundred|thousand|million|billion|trillion)s?\b|(?P<short>k|bn|tn)\b)?",
    re.IGNORECASE,
)
_ZH_NUMBER = re.compile(r"[〇零一二三四五六七八九两十百千万亿]+")
_PREFIX_UNIT = re.compile(r"(US\$|[$€£¥₹])\s*$")
_SUFFIX_UNIT = re.compile(
    r"[\s-]*("
    + "|".join(re.escape(name) for name in sorted(_UNITS, key=len, reverse=True))
    + r")(?![A-Za-z²³])"
)


def _spelt(text: str) -> Decimal:
    """Read English number words (“two hundred and five”)."""
    total = current = 0
    for word in re.split(r"[\s-]+", lowered(text)):
        if word in _ONES:
            current += _ONES[word]
        elif word in _TENS:
            current += _TENS[word]
        elif word in {"hundred", "dozen"}:
            current = (current or 1) * _SCALES[word]
        elif word in _SCALES:
            total += (current or 1) * _SCALES[word]
            current = 0
    return Decimal(total + current)


def _chinese(text: str) -> Decimal | None:
    """Read Chinese numerals (三千, 一百零五, 二〇〇八)."""
    if all(char in _ZH_DIGIT for char in text):
        return Decimal("".join(str(_ZH_DIGIT[char]) for char in text))
    for myriad, scale in (("亿", 10**8), ("万", 10**4)):
        high, found, low = text.partition(myriad)
        if found:
            upper = _chinese(high) if high else Decimal(1)
            lower = _trailing(low, scale)
            return None if upper is None or lower is None else upper * scale + lower
    total = digit = 0
    for index, char in enumerate(text):
        if char in _ZH_SCALE:
            total += (digit or 1) * _ZH_SCALE[char]
            digit = 0
        elif index == len(text) - 1 and index and text[index - 1] in "百千":
            total += _ZH_DIGIT[char] * _ZH_SCALE[text[index - 1]] // 10  # 三千五 is 3,500
        else:
            digit = _ZH_DIGIT[char]
    return Decimal(total + digit)


def _trailing(text: str, scale: int) -> Decimal | None:
    """Read what follows 万 or 亿; a single digit stands for tenths of it (一万五 is 15,000)."""
    if not text:
        return Decimal(0)
    if len(text) == 1 and text in _ZH_DIGIT:
        return Decimal(_ZH_DIGIT[text] * scale // 10)
    return _chinese(text)


def _digits(match: re.Match[str]) -> Decimal:
    value = Decimal(re.sub("[,，]", "", match["n"]))
    if match["scale"]:
        value *= _SCALES[lowered(match["scale"])]
    elif match["short"]:
        value *= _SHORT_SCALES[lowered(match["short"])]
    elif match["zh"]:
        scale = 1
        for char in match["zh"]:
            scale *= _ZH_SCALE.get(char) or _ZH_MYRIAD[char]
        value *= scale
        rest = match["rest"]
        if rest:  # 3万5千
            tail = rest[-1]
            value += Decimal(rest.rstrip("十百千万")) * (_ZH_SCALE | _ZH_MYRIAD).get(tail, 1)
    return -value if match["sign"] else value


def _numbers(text: str) -> list[tuple[int, int, Decimal]]:
    found = [(m.start(), m.end(), _digits(m)) for m in _DIGITS.finditer(text)]
    for pattern, read in ((_SPELT, _spelt), (_ZH_NUMBER, _chinese)):
        for m in pattern.finditer(text):
            value = read(m[0])
            if value is not None and not any(s <= m.start() < e for s, e, _ in found):
                found.append((m.start(), m.end(), value))
    return sorted(found)


def _with_units(text: str) -> list[tuple[int, int, NumberValue]]:
    found: list[tuple[int, int, NumberValue]] = []
    for start, end, value in _numbers(text):
        prefix = _PREFIX_UNIT.search(text[:start])
        suffix = _SUFFIX_UNIT.match(text, end)
        name = prefix[1] if prefix else suffix[1] if suffix else None
        if name is None:
            found.append((start, end, NumberValue(value=value)))
            continue
        unit, dimension, factor = _UNITS[name]
        number = NumberValue(value=value, unit=unit, dimension=dimension, factor=factor)
        first = prefix.start() if prefix else start
        last = suffix.end() if suffix and not prefix else end
        if found and found[-1][2].dimension == dimension and dimension in {"length", "duration"}:
            begun, stopped, before = found[-1]
            between = text[stopped:first].strip(" ,")
            if between in {"", "and"} and before.factor > factor:  # 6 ft 2 in, 2 hours 30 minutes
                found[-1] = (begun, last, before.converted(before.base + number.base))
                continue
        found.append((first, last, number))
    return found


@lru_cache(maxsize=8192)
def parse_number(text: str) -> NumberValue | None:
    """Return the first number in `text` with its unit, or None.

    Examples
    --------
    >>> str(parse_number("about 1.5 million people")), str(parse_number("3,400 km long"))
    ('1500000', '3400 km')
    >>> str(parse_number("1.2亿")), str(parse_number("两百五十公里"))
    ('120000000', '250 km')
    """
    found = _with_units(text)
    return found[0][2] if found else None


@lru_cache(maxsize=8192)
def numbers_in(text: str) -> tuple[NumberValue, ...]:
    """Return all numbers in `text` with their units, in order; ordinals (12th) are none."""
    return tuple(number for _, _, number in _with_units(text))


def unit_named(text: str) -> str | None:
    """Return what the unit at the beginning of `text` measures (“square miles of …”), or None.

    Letters that stand for a unit (“m”) do only behind a number.
    """
    match = _SUFFIX_UNIT.match(text)
    return _UNITS[match[1]][1] if match and (len(match[1]) > 2 or not match[1].isascii()) else None


@lru_cache(maxsize=8192)
def is_number(text: str) -> bool:
    """Return whether `text` is a number, with or without a unit, and nothing else."""
    found = _with_units(text)
    if len(found) != 1:
        return False
    start, end, _ = found[0]
    return (text[:start] + text[end:]).strip(" .,。，、").lower() in {
        "",
        "about",
        "over",
        "约",
        "个",
    }


def replace_numbers(text: str) -> str:
    """Return `text` with each English or Arabic number in plain digits: “1.5 million” is 1500000.

    Chinese numerals stay as they are: within words (张三, 一起) they are seldom numbers.
    """
    found = [(m.start(), m.end(), _digits(m)) for m in _DIGITS.finditer(text)]
    found += [(m.start(), m.end(), _spelt(m[0])) for m in _SPELT.finditer(text)]
    pieces, last = [], 0
    for start, end, value in sorted(found):
        if start >= last:
            pieces += [text[last:start], plain(value)]
            last = end
    return "".join([*pieces, text[last:]])


def spellings(value: Decimal) -> tuple[str, ...]:
    """Return pieces of which a text holds one where `replace_numbers` reads this number in it.

    They are of small letters and digits, without the spaces and the punctuation between: its
    digits, its first word, and the words and signs of magnitude that it may be written with. Less
    than a tenth of a magnitude (“0.05 million”) is not looked for.

    Examples
    --------
    >>> spellings(Decimal(42)), spellings(Decimal("3.5"))
    (('42', 'forty', 'dozen', 'hundred'), ('35', 'dozen'))
    """
    digits = plain(value).replace(".", "")
    tens = value // 10 * 10 if value < 100 else None
    words = [word for word, number in _ONES.items() if number == value]
    words += [word for word, number in _TENS.items() if number == tens]
    # A tenth of a magnitude may be written with it: “0.2 million”.
    words += [word for word, scale in (_SCALES | _ZH_MYRIAD).items() if scale <= 10 * value]
    words += [
        f"{plain(value / scale).replace('.', '')}{sign}"
        for sign, scale in _SHORT_SCALES.items()
        if scale <= 10 * value
    ]
    return digits, *(word for word in words if digits not in word)
