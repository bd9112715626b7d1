"""Where an answer begins and ends: what is put right after an encoder has chosen a span.

The encoder chooses the beginning apart from the end, and neither with regard to what kind of thing
is asked for. So a name may lack its last word, a date of death may stand with that of birth before
it, and an opened bracket may not be closed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from graph.planning.language import expected_type
from graph.types import AnswerType
from graph.values import is_date

_NAME_GOES_ON = re.compile(r"(?: (?:[A-Z][^\W\d_][\w'’-]*|[IVX]+\b)){1,2}(?![\w'’-]| [A-Z])")
_NAME_BEGAN = re.compile(r"(?:(?<=[a-z,;] )|(?<=\())((?:[A-Z][\w'’-]+ )+)$")
_WORD = re.compile(r"[\w'’-]+")
_ONE_NAME = re.compile(r"[A-Z][\w'’-]+")
_BEFORE = 60
"""Characters before a span in which its name may have begun."""
_LAST_CAPITAL = re.compile(r"(?:^|[\s'’-])[A-Z][\w'’-]*$")
_DASH = re.compile(r"\s*[–—]\s*|\s+-\s+|(?<=\d{4})-(?=\d{4})")
_ASKS_YEAR = re.compile(r"\b(?:what|which) year\b|哪一?年|何年", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)[12]\d{3}(?!\d)年?")
_BOUND = re.compile(
    r"\b(?:(?:more|less|fewer) than|over|under|up to|at (?:least|most)) [$£€]?$", re.IGNORECASE
)
"""What makes another amount of the number after it, unlike “about”."""
_BORN = re.compile(
    r"\b(?:born|birth|birthplace|birthday|birthdate)\b|出生|生于|生於|诞生|誕生", re.I
)
_DIED = re.compile(r"\b(?:die|died|dies|death)\b|去世|逝世|死于|死於|病逝|卒于|卒於", re.I)
_BRACKETS = (("(", ")"), ("（", "）"))
_QUOTES = (("“", "”"), ("「", "」"), ("『", "』"), ("《", "》"), ("〈", "〉"), ('"', '"'))
_PAIRS = (*_BRACKETS, *_QUOTES[:-1])
_LIFE = 120
"""Characters that the bracket with a person's birth and death may have on each side of a span."""


@lru_cache(maxsize=256)
def _end_of_life(question: str) -> bool | None:
    """Return whether a question asks for a death (True), a birth (False), or for neither."""
    born, died = bool(_BORN.search(question)), bool(_DIED.search(question))
    return died if born != died else None


@lru_cache(maxsize=256)
def _words(question: str) -> frozenset[str]:
    return frozenset(_WORD.findall(question))


def completed(text: str, start: int, end: int, question: str) -> tuple[int, int]:
    """Return the borders of the answer that `text[start:end]` is, or is part of.

    A name takes the capitalised words that follow it, and one of a single word those before it,
    unless the question has them; a number takes its “more than”; a quotation that is there by half
    is made whole, and of half a bracket what is on the side of the span's beginning stays; of a
    birth and a death the one that is asked for stays, without its date where its place is asked
    for, and of a date its year, where only that is asked for.

    Examples
    --------
    >>> text = "He was a son of Sultan Mahmud II (20 July 1785 – 1 July 1839)."
    >>> at = text.index("Sultan")
    >>> start, end = completed(text, at, at + 13, "Who was his father?")
    >>> text[start:end]
    'Sultan Mahmud II'
    >>> start, end = completed(text, text.index("20"), text.index(")"), "When did he die?")
    >>> text[start:end]
    '1 July 1839'
    """
    start, end = _one_end_of_life(text, start, end, question)
    if _ASKS_YEAR.search(question) and is_date(text[start:end]):
        years = list(_YEAR.finditer(text, start, end))
        if len(years) == 1:
            return years[0].span()
    start, end = _whole_marks(text, start, end)
    said = text[start:end]
    if said[:1].isdigit() and (bound := _BOUND.search(text, max(0, start - _BEFORE), start)):
        start = bound.start()
    if said[:1].isupper() and _LAST_CAPITAL.search(said):
        following = _NAME_GOES_ON.match(text, end)
        if following and not set(following[0].split()) & _words(question):
            end = following.end()
    if _ONE_NAME.fullmatch(said):
        begun = _NAME_BEGAN.search(text, max(0, start - _BEFORE), start)
        if begun and not set(begun[1].split()) & _words(question):
            start = begun.start(1)
    return start, end


def _one_end_of_life(text: str, start: int, end: int, question: str) -> tuple[int, int]:
    died = _end_of_life(question)
    if died is None:
        return start, end
    for dash in _DASH.finditer(text, start, end):
        if dash.start() == start or dash.end() == end:
            continue
        if is_date(text[start : dash.start()]) or _between_dates(text, dash):
            start, end = (dash.end(), end) if died else (start, dash.start())
            return start + _dated(text[start:end], question), end
    return start, end


def _between_dates(text: str, dash: re.Match[str]) -> bool:
    """Return whether a dash stands in a bracket between a birth and a death, both dated."""
    begin = max(0, dash.start() - _LIFE)
    opened = max(text.rfind(mark, begin, dash.start()) for mark in "(（")
    if opened < 0 or re.search(r"[)）]", text[opened : dash.start()]):
        return False
    following = re.split(r"[)）]", text[dash.end() : dash.end() + _LIFE], maxsplit=1)[0]
    dated = any(is_date(following[:at]) for at in (*_commas(following), len(following)))
    return dated and re.search(r"\d{3}", text[opened : dash.start()]) is not None


def _commas(text: str) -> list[int]:
    return [match.start() for match in re.finditer("[,，]", text)]


def _dated(said: str, question: str) -> int:
    """Return how long the date is that stands before a place, with its comma."""
    if expected_type(question) is not AnswerType.PLACE:
        return 0
    before = [at for at in _commas(said) if is_date(said[:at])]
    return len(said) - len(said[before[-1] + 1 :].lstrip()) if before else 0


def _whole_marks(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the borders that leave no bracket and no quotation half, if its other half is near."""
    for opening, closing in _PAIRS:
        said = text[start:end]
        if said.count(opening) > said.count(closing) and text.startswith(closing, end):
            end += 1
    for opening, closing in _QUOTES:
        said = text[start:end]
        half = (
            said.count(closing) % 2
            if opening == closing
            else said.count(closing) > said.count(opening)
        )
        if half and start and text[start - 1] == opening:
            start -= 1
    said = text[start:end]
    for opening, closing in _BRACKETS:
        if said.count(opening) > said.count(closing):
            said = said[: said.rfind(opening)].rstrip(" ,;，；") or said
        elif said.count(closing) > said.count(opening):
            said = said[: said.find(closing, said.rfind(opening) + 1)].rstrip() or said
    return start, start + len(said)


def of_the_other_end(text: str, start: int, end: int, question: str) -> bool:
    """Return whether a span tells of a birth where a death is asked for, or the other way round.

    Only where both stand in a bracket with a dash between them, as articles begin.

    Examples
    --------
    >>> text = "Ann Lee (6 June 1906, Graz – 2 May 1994, Linz) was a director."
    >>> at = text.index("Graz")
    >>> of_the_other_end(text, at, at + 4, "Where did Ann Lee die?")
    True
    >>> of_the_other_end(text, at, at + 4, "Where was Ann Lee born?")
    False
    """
    died = _end_of_life(question)
    if died is None:
        return False
    opened = max(text.rfind(mark, max(0, start - _LIFE), start) for mark in "(（")
    closed = min(
        (at for mark in ")）" if (at := text.find(mark, end, end + _LIFE)) >= 0), default=-1
    )
    if opened < 0 or closed < 0 or re.search(r"[)）]", text[opened:start]):
        return False
    if re.search(r"[(（]", text[end:closed]):
        return False
    before, after = _DASH.search(text, opened, start), _DASH.search(text, end, closed)
    if (before is None) == (after is None):
        return False
    # “(founded 1906 – closed 1994)” says it in words.
    return died == (after is not None) and bool(re.search(r"\d{3}", text[opened:closed]))
