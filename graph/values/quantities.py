"""Which quantity a question asks for, and whether a text holds one.

The judgement is one-sided: a text is refused only where the question plainly asks for a quantity
and the text has no number that could be one. What is not understood is let through.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from graph.values.date_grammar import dates_in, is_date
from graph.values.numerals import MONEY, UNIT_NAMES, numbers_in, unit_named

MONEY_ASKED = "money"
"""Stands for every currency."""
COUNT = "count"
"""Stands for a plain number, of people or things."""
ANY = "any"
"""Stands for a number of whatever dimension but money: “how large”, 多大."""

_THE = r"\bwhat(?:'s| is| was| are| were) the (?:[\w-]+ ){0,2}"
_ZH = "(?<![许許大很最更众眾诸諸])"
"""Before a 多 that asks: not 许多."""
_BE = "(?:大?[约約])?(?:是|为|為|有)?"
_ASKED: tuple[tuple[str, frozenset[str]], ...] = (
    (r"^how (?:tall|high|deep|wide|far|thick)\b(?! up\b)", frozenset({"length"})),
    (r"^how long\b", frozenset({"length", "duration"})),
    (r"^how (?:heavy|much (?:do|does|did) .* weigh)\b", frozenset({"mass"})),
    (r"^how old\b", frozenset({"duration", COUNT})),
    (r"^how (?:large|big)\b", frozenset({ANY})),
    (
        r"^how much (?:money\b|(?:do|does|did|has|have|was|were|is) .*"
        r"\b(?:cost|earn|earned|gross|grossed|paid|pay|worth|sold for)\b)",
        frozenset({MONEY_ASKED}),
    ),
    (
        rf"{_THE}(?:height|elevation|altitude|depth|width|distance|wingspan|diameter)\b",
        frozenset({"length"}),
    ),
    (rf"{_THE}length of\b", frozenset({"length", "duration"})),
    (rf"{_THE}area of\b", frozenset({"area"})),
    (rf"{_THE}(?:weight|mass) of\b", frozenset({"mass"})),
    (rf"{_THE}population of\b", frozenset({COUNT})),
    (rf"{_THE}(?:budget|box office|net worth|revenue|gross)\b", frozenset({MONEY_ASKED})),
    (rf"{_ZH}多[高远遠深宽寬厚]", frozenset({"length"})),
    (rf"(?:高度|海拔|距[离離]|身高|[体體][长長]){_BE}多少", frozenset({"length"})),
    (rf"{_ZH}多久(?!.*次)|{_ZH}多[长長](?:的)?[时時][间間]", frozenset({"duration"})),
    (rf"{_ZH}多[长長]|(?:长度|長度){_BE}多少", frozenset({"length", "duration"})),
    (rf"面[积積]{_BE}多[少大]", frozenset({"area"})),
    (rf"{_ZH}多重|(?:体重|體重|重量){_BE}多少", frozenset({"mass"})),
    (rf"{_ZH}多少[钱錢]|(?:票房|奖金|獎金|造价|造價){_BE}多少", frozenset({MONEY_ASKED})),
    (rf"人口{_BE}多少", frozenset({COUNT})),
)  # fmt: skip
_HOW_MANY = re.compile(r"^how many (?P<what>[\w² -]+)", re.IGNORECASE)
_SHARE_ZH = re.compile("比例|百分|分之|多少倍")
_HOW_MANY_ZH = re.compile(r"多少(?P<what>[\u4e00-\u9fff]{0,5})")
_WITHOUT_DIGITS = re.compile(
    r"\b(?:half|third|thirds|quarter|quarters|once|twice|double|thrice|dozens|hundreds|thousands|"
    r"millions|billions|none|no|zero|several|a few|many|all|majority|unmanned|single|pair|couple|"
    r"trio|duo|quartet)\b|[半数數几幾多全无無没沒]",
    re.IGNORECASE,
)
_ONE_OF = re.compile(r"^one of\b", re.IGNORECASE)
_CURRENCY = re.compile(
    r"[$€£¥₹₩₽]|\b(?:dollars?|euros?|pounds?|yen|francs?|marks?|pesos?|rupees?|lire|lira|kron(?:or|er)|"
    r"crowns?|rubles?|roubles?|won|cents?|guineas?|shillings?)\b|[元圆圓]|[马馬]克|法郎|[英镑鎊]",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:years?|decades?|centur(?:y|ies)|months?|weeks?|days?|hours?|minutes?|seconds?|until|since|"
    r"life|forever)\b|\d:\d\d|[年月日天周週时時分秒代期止前后後]|世[纪紀]|小[时時]",
    re.IGNORECASE,
)


@lru_cache(maxsize=1024)
def quantity_asked(question: str) -> frozenset[str]:
    """Return the dimensions that an answer may have; empty where no quantity is asked for.

    A dimension is one of `units.json`, or `MONEY_ASKED`, `COUNT` or `ANY`.

    Examples
    --------
    >>> sorted(quantity_asked("How tall is Broad Peak?")), quantity_asked("Who climbed it?")
    (['length'], frozenset())
    >>> sorted(quantity_asked("How many square kilometres does it cover?"))
    ['area', 'count']
    """
    text = question.strip()
    many = _HOW_MANY_ZH.search(text)
    if many and _SHARE_ZH.search(text):
        return frozenset()
    if many and (dimension := unit_named(many["what"])):
        return frozenset({COUNT, dimension})
    for pattern, dimensions in _ASKED:
        if re.search(pattern, text, re.IGNORECASE):
            return dimensions
    many = _HOW_MANY.search(text)
    if many is None:
        return frozenset()
    dimension = unit_named(many["what"])
    return frozenset({COUNT, dimension} if dimension else {COUNT})


def could_be_quantity(text: str, question: str) -> bool:
    """Return whether `text` may be the quantity that `question` asks for; True where it asks none.

    Examples
    --------
    >>> could_be_quantity("8,051 m", "How tall is Broad Peak?")
    True
    >>> could_be_quantity("$1.1 billion", "How tall is Broad Peak?")
    False
    >>> could_be_quantity("second highest mountain in India", "How tall is Broad Peak?")
    False
    """
    asked = quantity_asked(question)
    text = unicodedata.normalize("NFKC", text)
    return not asked or any(_holds(text, dimension) for dimension in sorted(asked))


def _holds(text: str, dimension: str) -> bool:
    numbers = numbers_in(text)
    if any(number.dimension == dimension for number in numbers):
        return True
    if dimension == MONEY_ASKED:
        priced = bool(_CURRENCY.search(text)) or any(n.dimension in MONEY for n in numbers)
        return priced or _is_plain(text)
    if dimension == COUNT:
        if _ONE_OF.match(text) or any(number.dimension in MONEY for number in numbers):
            return False
        if is_date(text) and not text.strip().isdecimal():  # 1976 alone may be a number
            return False
        return bool(numbers or _WITHOUT_DIGITS.search(text))
    if dimension == ANY:
        return any(n.dimension not in MONEY for n in numbers) and not is_date(text)
    if dimension == "duration":
        return bool(dates_in(text) or _TIME.search(text))
    # “1107萬平方公里”: the unit stands apart from a number that is not read whole.
    return bool(numbers or _WITHOUT_DIGITS.search(text)) and any(
        re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", text)
        for name in UNIT_NAMES[dimension]
    )


def _is_plain(text: str) -> bool:
    """Return whether the text is little but a number: a price in a table has no currency."""
    numbers = numbers_in(text)
    return len(numbers) == 1 and numbers[0].unit is None and not re.search(r"[A-Z]", text)
