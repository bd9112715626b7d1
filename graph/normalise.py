"""One form for answers that mean the same, so that they can vote together.

`canonical` works on parts as on the whole: the form of a candidate stands as a substring in the
form of any text that states it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from rapidfuzz import fuzz

from graph.values import (
    Incomparable,
    is_date,
    is_number,
    parse_country,
    parse_date,
    parse_number,
    replace_dates,
    replace_numbers,
    shared_countries,
)

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_MARKS = re.compile(r"[\u0300-\u036f]")
_INITIALS = re.compile(r"(?<!\w)(?:[^\W\d_]\.\s?){2,}")
_POSSESSIVE = re.compile(r"(?<=\w)['’]s(?!\w)")
_APOSTROPHES = re.compile(r"['’‘ʼ`´]")
_DISAMBIGUATOR = re.compile(r"(?<=\S)\s*\([^()]*\)\s*$")
_ISO = re.compile(r"(?<![A-Za-z\d_-])(\d{4}-\d{2}(?:-\d{2})?)(?![A-Za-z\d_-])")
_DECIMAL = re.compile(r"(?<=\d)\.(?=\d)")
_HONORIFICS = re.compile(r"mr|mrs|ms|dr|sir|dame|prof|professor|rev|reverend|hon")
_ZH_HONORIFIC = re.compile(r"(?<=[\u4e00-\u9fff]{2})(?:先生|女士|小姐|教授|博士|爵士)$")
_PASSES = 8
"""A second pass may find what the first uncovered; it seldom does, and settles soon."""
_ANSWER_LENGTH = 200
"""Characters up to which a text may be an answer; a passage gets one pass."""
_MARK = {"-": "\ue000", ".": "\ue001"}
"""Private-use stand-ins that keep the hyphens of dates and decimal points through the splitting."""
_BETWEEN = re.compile(rf"[^\w{_MARK['-']}{_MARK['.']}]+|_+")


@lru_cache(maxsize=16384)
def canonical(text: str) -> str:
    """Return the form by which answers are compared; idempotent.

    Unicode compatibility forms, case, Latin diacritics, punctuation, “the” (and a leading “a”),
    leading honorifics and trailing parentheses go; dates become ISO, numbers digits, initials one
    word. Traditional characters are left as they are.

    Examples
    --------
    >>> canonical("The Golden Calf (1930 film)"), canonical("June 19, 2013")
    ('golden calf', '2013-06-19')
    >>> canonical("Dr. A. P. J. Abdul Kalam"), canonical("1.5 million people")
    ('apj abdul kalam', '1500000 people')
    """
    whole = unicodedata.normalize("NFKC", text).strip()
    form = whole
    for _ in range(_PASSES if len(whole) <= _ANSWER_LENGTH else 1):
        following = _one_pass(form)
        if following == form:
            break
        form = following
    return form or whole.casefold()


def _one_pass(text: str) -> str:
    text = text.strip()
    while (shorter := _DISAMBIGUATOR.sub("", text)) != text and re.search(r"\w", shorter):
        text = shorter
    text = replace_dates(text)
    text = _LATIN_MARKS.sub("", unicodedata.normalize("NFKD", text))
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _INITIALS.sub(lambda m: re.sub(r"[.\s]", "", m[0]) + " ", text)
    text = _APOSTROPHES.sub("", _POSSESSIVE.sub(" s", text))
    pieces = _ISO.split(text)  # every second piece is a date, and no number
    pieces[::2] = [_DECIMAL.sub(_MARK["."], replace_numbers(piece)) for piece in pieces[::2]]
    pieces[1::2] = [f" {piece.replace('-', _MARK['-'])} " for piece in pieces[1::2]]
    text = "".join(pieces)
    kept = _BETWEEN.sub(" ", text)
    kept = kept.replace(_MARK["-"], "-").replace(_MARK["."], ".")
    words = [word for word in kept.split() if word != "the"] or kept.split()
    while len(words) > 2 and _HONORIFICS.fullmatch(words[0]):
        words = words[1:]
    if len(words) > 1 and words[0] in {"a", "an"}:
        words = words[1:]
    return _ZH_HONORIFIC.sub("", " ".join(words))


SAME = 0.85
"""Similarity from which two answers are taken to mean the same."""
_NAMED = 0.9
"""One is a usual shorter form of the other: a surname, an acronym, a town without its state."""
_PART = 0.8
"""One begins the other, which may say more or be another thing (New York, New York Yankees)."""
_INSIDE = 0.7
_COARSE = 0.6
"""A coarser date, a wider country."""
_OTHER_NUMBER = 0.5
"""The most that texts with different numbers can reach: Toy Story and Toy Story 2."""
_GENERIC = re.compile(
    r"university|college|school|county|city|town|village|river|lake|mountain|island|film|movie|song"
    r"|album|book|company|band|team|club|king|queen|prince|princess|president|state|country|war"
    r"|award|church|party|street|museum|station|family|league|cup|.{1,2}"
)
_FOLLOWS = re.compile(r"in|at|on|from|near|is|was|were|who|which|that|where")
_SMALL = re.compile(r"of|and|for|in|on|at|to|de|la|le|du|von|van")
_ROMAN = re.compile(r"[ivxlc]+")


def same_answer(a: str, b: str) -> bool:
    """Return whether two answers mean the same: their similarity is at least `SAME`."""
    return similarity(a, b) >= SAME


def names_again(text: str, name: str) -> bool:
    """Return whether a text is but another way of writing a name.

    What follows a comma is left out, and either may have more words before the name.

    Examples
    --------
    >>> names_again("American golfer Tiger Woods", "Tiger Woods")
    True
    >>> names_again("Iran", "Isfahan, Iran")
    False
    """
    forms = [canonical(part.partition(",")[0]).split() for part in (text, name)]
    short, long = sorted(forms, key=len)
    return bool(short) and long[-len(short) :] == short


def similarity(a: str, b: str) -> float:
    """Return how surely `a` and `b` mean the same, in [0, 1]; symmetric, and 1 for a text itself.

    Whole dates, numbers and countries are compared as such, so no likeness of letters makes 1990
    and 1991 alike. Names are compared by tokens, Chinese by characters.
    """
    return _similarity(*sorted((a, b)))


@lru_cache(maxsize=65536)
def _similarity(a: str, b: str) -> float:
    form_a, form_b = canonical(a), canonical(b)
    if form_a == form_b:
        return 1.0
    typed = _typed(a, b)
    if typed is not None:
        return typed
    if not form_a or not form_b:
        return 0.0
    chinese = is_chinese(form_a + form_b)
    likeness = _chinese(form_a, form_b) if chinese else _names(a, b)
    return min(likeness, _OTHER_NUMBER) if _numerals(form_a) != _numerals(form_b) else likeness


def _typed(a: str, b: str) -> float | None:
    """Compare two dates, numbers or countries; None where they are not both of one kind."""
    if is_date(a) and is_date(b):
        date_a, date_b = parse_date(a), parse_date(b)
        if date_a is None or date_b is None:
            return None
        try:
            return float(date_a.compare(date_b) == 0)
        except Incomparable:
            return _COARSE
    if is_number(a) and is_number(b):
        number_a, number_b = parse_number(a), parse_number(b)
        if number_a is None or number_b is None:
            return None
        if (number_a.dimension is None) == (number_b.dimension is None):
            alike = number_a.dimension == number_b.dimension and number_a.base == number_b.base
            return float(alike)
        return _NAMED if number_a.value == number_b.value else 0.0  # 3,400 and 3,400 km
    country_a, country_b = parse_country(a), parse_country(b)
    if country_a and country_b:
        if country_a == country_b:
            return 0.95  # a country and its demonym answer the same question in other words
        return _COARSE if shared_countries((country_a,), (country_b,)) else 0.0
    return None


def _names(a: str, b: str) -> float:
    """Compare two names or phrases of a language with spaces."""
    if len(canonical(a).split()) > len(canonical(b).split()):
        a, b = b, a
    short, long = canonical(a).split(), canonical(b).split()
    if _is_acronym(a, long) or _is_acronym(b, short):
        return _NAMED
    if len(short) < len(long) and (part := _containment(a, short, b, long)):
        return part
    if len(short) > 1 and short[-1] == long[-1] and _initials_match(short, long):
        return _NAMED
    if sorted(short) == sorted(long):
        return 0.95
    joined_a, joined_b = " ".join(sorted(short)), " ".join(sorted(long))
    # Squared, so that only a slip of the pen in a longer name passes for the same.
    return (fuzz.ratio(joined_a, joined_b) / 100) ** 2


def _is_acronym(text: str, words: list[str]) -> bool:
    letters = re.sub(r"[.\s]", "", text)
    if not (2 <= len(letters) <= 6 and letters.isalpha() and letters.isupper()) or len(words) < 2:
        return False
    initials = {
        "".join(w[0] for w in words),
        "".join(w[0] for w in words if not _SMALL.fullmatch(w)),
    }
    return letters.casefold() in initials


def _initials_match(short: list[str], long: list[str]) -> bool:
    """Return whether the given names of one are the initials of the other's."""
    given_a, given_b = short[:-1], long[:-1]
    for initials, names in ((given_a, given_b), (given_b, given_a)):
        letters = "".join(initials)
        if len(letters) <= 4 and all(len(w) <= 3 for w in initials) and names != initials:
            spelt = "".join(w[0] for w in names)
            if letters == spelt[: len(letters)] and any(len(w) > len(letters) for w in names):
                return True
    return False


def _containment(a: str, short: list[str], b: str, long: list[str]) -> float | None:
    """Return how likely `long` is `short` said more fully; None where it does not contain it."""
    size = len(short)
    name = a[:1].isupper() or not a[:1].isalpha()
    generic = size == 1 and _GENERIC.fullmatch(short[0]) is not None
    if generic:
        return _OTHER_NUMBER if short[0] in long else None
    if long[-size:] == short:
        return _NAMED if name else _PART
    if long[:size] == short:
        before_comma = canonical(b.split(",")[0]).split() == short
        described = name and size > 1 and _FOLLOWS.fullmatch(long[size])
        return _NAMED if before_comma or described else _PART
    if any(long[i : i + size] == short for i in range(1, len(long) - size)):
        return _INSIDE
    if size > 1 and (short[0], short[-1]) == (long[0], long[-1]):
        rest = iter(long)
        if all(word in rest for word in short):  # Michael Rogers, Michael S. Rogers
            return _NAMED if name else _INSIDE
    return None


def _chinese(a: str, b: str) -> float:
    """Compare two canonical texts of which one is Chinese, by characters."""
    short, long = sorted((a, b), key=lambda form: (len(form), form))
    if short in long.split()[1:]:  # 贝拉克·奥巴马, 奥巴马
        return _NAMED
    if short in long:
        return 0.6 + 0.4 * len(short) / len(long)
    shared = sum((Counter(a) & Counter(b)).values()) * 2 / (len(a) + len(b))
    ordered = fuzz.ratio(a, b) / 100
    return (shared * ordered) if shared else 0.0


def _numerals(form: str) -> frozenset[str]:
    """Return the numbers in a canonical text, Roman ones after a name included."""
    words = form.split()
    roman = {w for w in words[1:] if _ROMAN.fullmatch(w)}
    return frozenset(roman | set(re.findall(r"\d[\d.-]*", form)))


def is_chinese(text: str) -> bool:
    """Return whether `text` has a Han character."""
    return _HAN.search(text) is not None
