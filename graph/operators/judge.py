"""SAME, DIFFERENT, BOTH and EITHER: answered by yes or no."""

from __future__ import annotations

import itertools
import re

from graph.normalise import canonical, is_chinese, same_answer
from graph.operators.result import OperatorResult, Step, failed
from graph.types import FailureReason, Operator
from graph.values import (
    countries_in,
    is_date,
    is_number,
    parse_country,
    parse_date,
    parse_number,
    parse_yes_no,
    shared_countries,
    yes_no,
)
from retrievers.analysis import stem

_COUNTRY_ASKED = re.compile(
    r"\b(?:country|countries|nationalit(?:y|ies)|nation|citizenship)\b|国籍|国家|同国|哪国", re.I
)
_NEGATED = re.compile(
    r"\b(?:not|never|no longer|neither|without)\b|n['’]t\b|不是|并非|没有|从未", re.I
)


def same(step: Step) -> OperatorResult:
    """Say whether all answers mean the same: dates, numbers, countries as such, else names."""
    pairs = list(itertools.combinations(step.answers, 2))
    by_country = _COUNTRY_ASKED.search(step.text) is not None
    unlike = next((pair for pair in pairs if not _alike(*pair, by_country=by_country)), None)
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
    return _holds(a, b) or _holds(b, a) if not (is_date(a) or is_date(b)) else False


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


def affirms(answer: str, phrase: str) -> bool:
    """Return whether `answer` says that `phrase` holds: it has its words, and no negation."""
    if _NEGATED.search(answer):
        return False
    if is_chinese(answer + phrase):
        return canonical(phrase) in canonical(answer)
    said = {*map(stem, canonical(answer).split()), *(c.lower() for c in countries_in(answer))}
    country = parse_country(phrase)
    if country:
        return country.lower() in said
    return set(map(stem, canonical(phrase).split())) <= said
