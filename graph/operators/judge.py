"""SAME, DIFFERENT, BOTH and EITHER: answered by yes or no."""

from __future__ import annotations

import itertools
import re

from graph.normalise import canonical, is_chinese, same_answer
from graph.operators.result import OperatorResult, Step, failed
from graph.types import FailureReason, Operator
from graph.values import (
    countries_in,
    dates_in,
    is_date,
    is_number,
    parse_country,
    parse_date,
    parse_number,
    parse_yes_no,
    shared_countries,
    yes_no,
)
from graph.values.letters import lowered
from graph.values.truth import NEGATION
from retrievers.analysis import stem

_NO_LAND = r"(?! (?:music|songs?|singers?|artists?|albums?|bands?|clubs?|houses?)\b)"
"""What does not follow “country” where it is one."""
_COUNTRY_ASKED = re.compile(
    rf"\b(?:country{_NO_LAND}|countries"
    r"|nationalit(?:y|ies)|nation|citizenship)\b|国籍|国家|同国|哪国",
    re.I,
)

# In small letters: “Day” and “Nation” may stand in a title.
_SAME_DATE = re.compile(
    r"\b(?:same|different) (?:year|day|date|month|decade|century)\b|同一?(?:年|月|天|日)"
)
_SAME_COUNTRY = re.compile(
    rf"\b(?:same|different|share an?) (?:country|nation|nationality|citizenship)\b{_NO_LAND}"
    r"|国籍|同一?个?国家|同国"
)
_CONTINENT = re.compile(
    r"(?:North |South |Latin |Central )America|Africa|Asia|Europe|Oceania|Antarctica"
    r"|[非亚欧]洲|[南北]?美洲|大洋洲|南极洲"
)

_NUMBER_BOUNDS: dict[str, tuple[int, ...]] = {
    "more than": (1,),
    "over": (1,),
    "超过": (1,),
    "多于": (1,),
    "less than": (-1,),
    "fewer than": (-1,),
    "under": (-1,),
    "少于": (-1,),
    "at least": (0, 1),
    "至少": (0, 1),
    "at most": (-1, 0),
    "至多": (-1, 0),
    "exactly": (0,),
}
"""A bound to how a number within it may compare with it."""
_TIME_BOUNDS = ("before", "after", "in", "早于", "晚于")
_BOUND = re.compile(
    rf"(?P<word>{'|'.join([*_NUMBER_BOUNDS, *_TIME_BOUNDS])})(?:\s+|(?<=[\u4e00-\u9fff]))"
    r"(?P<limit>.+)",
    re.IGNORECASE,
)


def same(step: Step) -> OperatorResult:
    """Say whether all answers mean the same: dates, numbers, countries as such, else names.

    Where a country or a date is asked for and an answer tells none, it was read wrongly: they do
    not compare.
    """
    pairs = list(itertools.combinations(step.answers, 2))
    by_country = _COUNTRY_ASKED.search(step.text) is not None
    told = [
        find
        for asked, find in ((_SAME_COUNTRY, countries_in), (_SAME_DATE, dates_in))
        if asked.search(step.text)
    ]
    alike = {
        (a, b): _alike(a, b, by_country=by_country)
        or (None if any(not (find(a) and find(b)) for find in told) else False)
        for a, b in pairs
    }
    unlike = next((pair for pair in pairs if alike[pair] is False), None)
    unsure = next((pair for pair in pairs if alike[pair] is None), None)
    if unlike is None and unsure is not None:
        a, b = unsure
        words = step.say(f"{a} and {b} are not of one kind", f"{a}与{b}不是同类事物")
        return failed(FailureReason.INCOMPARABLE, words)
    wanted = step.operator == Operator.SAME
    a, b = unlike or pairs[0]
    if unlike:
        words = step.say(f"{a} and {b} are not the same", f"{a}与{b}不同")
    elif canonical(a) == canonical(b):
        words = step.say(f"all are {a}", f"都是{a}")
    else:
        words = step.say(f"{a} and {b} are the same", f"{a}与{b}相同")
    return OperatorResult(
        answer=yes_no((unlike is None) == wanted, step.language), explanation=words
    )


def _alike(a: str, b: str, *, by_country: bool) -> bool:
    """Return whether two answers mean the same."""
    if is_date(a) and is_date(b):
        dates = parse_date(a), parse_date(b)
        return bool(dates[0] and dates[1] and dates[0].compare(dates[1]) == 0)
    if is_number(a) and is_number(b):
        numbers = parse_number(a), parse_number(b)
        return bool(numbers[0] and numbers[1] and numbers[0].compare(numbers[1]) == 0)
    if by_country or (parse_country(a) and parse_country(b)):
        countries = countries_in(a), countries_in(b)
        if all(countries):
            return bool(shared_countries(*countries))
    if same_answer(a, b):
        return True
    return not (is_date(a) or is_date(b)) and (_holds(a, b) or _holds(b, a))


def _is_limit(bound: re.Match[str]) -> bool:
    limit = re.sub(r"^the ", "", bound["limit"])
    timed = lowered(bound["word"]) in _TIME_BOUNDS
    return is_date(limit) if timed else is_number(limit)


def _within(answer: str, bound: re.Match[str]) -> bool | None:
    """Return whether the number or date in an answer lies within a bound; None where unsure."""
    word, limit = lowered(bound["word"]), bound["limit"]
    if word in _TIME_BOUNDS:
        value, edge = parse_date(answer), parse_date(limit)
        if value is None or edge is None:
            return None
        if word in {"before", "早于"}:
            return True if value.end < edge.start else False if value.start >= edge.start else None
        if word in {"after", "晚于"}:
            return True if value.start > edge.end else False if value.end <= edge.end else None
        inside = edge.start <= value.start and value.end <= edge.end
        apart = value.end < edge.start or edge.end < value.start
        return True if inside else False if apart else None
    number, least = parse_number(answer), parse_number(limit)
    if number is None or least is None or (least.unit and number.dimension != least.dimension):
        return None
    order = (number.base > least.base) - (number.base < least.base)
    return order in _NUMBER_BOUNDS[word]


def _holds(long: str, short: str) -> bool:
    """Return whether `short` is one of the comma- or and-parts of `long` (Montreal, Quebec)."""
    parts = re.split(r"\s*[,;，；、]\s*|\s+and\s+", long)
    return len(parts) > 1 and any(canonical(part) == canonical(short) for part in parts)


def affirmed(step: Step) -> OperatorResult:
    """Say whether all answers (BOTH), or any (EITHER), are affirmative.

    An answer that is neither yes nor no is held against its label: “American actor” affirms
    “actor”, “not an actor” and “Danish poet” do not. Without a label it is a type mismatch.
    """
    if step.labels and len(step.labels) not in {1, len(step.answers)}:
        return failed(
            FailureReason.TYPE_MISMATCH,
            f"{len(step.labels)} phrases cannot be matched with {len(step.answers)} answers",
        )
    truths: list[bool] = []
    for index, answer in enumerate(step.answers):
        truth = parse_yes_no(answer)
        if truth is None and step.labels:
            truth = affirms(answer, step.labels[index if len(step.labels) > 1 else 0])
        if truth is None:
            return failed(
                FailureReason.TYPE_MISMATCH,
                step.say(f"“{answer}” is neither yes nor no", f"“{answer}”既不是是也不是否"),
            )
        truths.append(truth)
    held = all(truths) if step.operator == Operator.BOTH else any(truths)
    listed = "; ".join(
        f"{answer} ({yes_no(truth, step.language)})"
        if parse_yes_no(answer) is None
        else yes_no(truth, step.language)
        for answer, truth in zip(step.answers, truths, strict=True)
    )
    return OperatorResult(
        answer=yes_no(held, step.language),
        explanation=step.say(f"the answers say: {listed}", f"各答案为：{listed}"),
    )


def affirms(answer: str, phrase: str) -> bool | None:
    """Return whether `answer` says that `phrase` holds: it has its words, and no negation.

    A phrase may bound a number or a date (“more than 15”, “before 2010”, 超过15); None where
    the answer holds none, or the bound lies within what it leaves open. None too where a country or
    a continent is asked about and the answer names a town, say: it may lie there; and where the
    answer is no more than a country, a date or a number and the phrase (“actor”) is none.
    """
    bound = _BOUND.match(phrase)
    if bound and _is_limit(bound):
        return _within(answer, bound)
    if NEGATION.search(answer):
        return False
    if is_chinese(answer + phrase):
        country = parse_country(phrase)
        if canonical(phrase) in canonical(answer) or country in countries_in(answer):
            return True
        return None if _is_wide(phrase, answer) or _is_beside(phrase, answer) else False
    said = {*map(stem, canonical(answer).split()), *(c.lower() for c in countries_in(answer))}
    country = parse_country(phrase)
    held = country.lower() in said if country else {*map(stem, canonical(phrase).split())} <= said
    return held or (None if _is_wide(phrase, answer) or _is_beside(phrase, answer) else False)


def _is_wide(phrase: str, answer: str) -> bool:
    """Return whether what an answer names may lie within a country or continent unnamed in it."""
    if _CONTINENT.fullmatch(phrase):
        return not _CONTINENT.search(answer)
    return parse_country(phrase) is not None and not countries_in(answer)


def _is_beside(phrase: str, answer: str) -> bool:
    """Return whether an answer is a bare country, date or number, and the phrase tells none."""
    bare = parse_country(answer) is not None or is_date(answer) or is_number(answer)
    told = countries_in(phrase) or dates_in(phrase) or parse_number(phrase) is not None
    return bare and not told and not _CONTINENT.fullmatch(phrase)
