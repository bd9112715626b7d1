"""EARLIER, LATER, LARGER and SMALLER: which argument wins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graph.operators.items import items_of
from graph.operators.result import OperatorResult, Step, failed
from graph.types import FailureReason, Operator
from graph.values import (
    DateValue,
    Incomparable,
    NumberValue,
    Precision,
    is_number,
    numbers_in,
    parse_date,
    parse_number,
)

_HOW_MANY = re.compile(
    r"\b(?:more|most|fewer|fewest|less|least)\b|更多|最多|较多|更少|最少|较少", re.I
)
_WORDS = {
    Operator.EARLIER: ("before", "早于"),
    Operator.LATER: ("after", "晚于"),
    Operator.LARGER: ("more than", "大于"),
    Operator.SMALLER: ("less than", "小于"),
}


def choose(step: Step) -> OperatorResult:
    """Choose the label (or answer) whose value certainly comes before, or exceeds, all others."""
    if step.labels and len(step.labels) != len(step.answers):
        return failed(
            FailureReason.TYPE_MISMATCH,
            f"{len(step.answers)} answers cannot be told apart by {len(step.labels)} labels",
        )
    temporal = step.operator in {Operator.EARLIER, Operator.LATER}
    values = _dates(step.answers) if temporal else _quantities(step)
    for answer, value in zip(step.answers, values, strict=True):
        if value is None:
            kind = step.say("date" if temporal else "number", "日期" if temporal else "数字")
            return failed(
                FailureReason.TYPE_MISMATCH,
                step.say(f"“{answer}” is no {kind}", f"“{answer}”不是{kind}"),
            )
    sign = -1 if step.operator in {Operator.EARLIER, Operator.SMALLER} else 1
    return _winner(step, [value for value in values if value is not None], sign)


def _winner(step: Step, values: Sequence[DateValue | NumberValue], sign: int) -> OperatorResult:
    """Return the one that orders as `sign` (-1 first, 1 last) against all others, or why none."""
    shown = [_shown(value, step.language) for value in values]
    unbeaten = []
    for index, value in enumerate(values):
        orders = [_order(value, other) for n, other in enumerate(values) if n != index]
        if all(order == sign for order in orders):
            english, chinese = _WORDS[step.operator]
            others = [form for n, form in enumerate(shown) if n != index]
            return OperatorResult(
                answer=step.labels[index] if step.labels else step.answers[index],
                explanation=step.say(
                    f"{shown[index]} is {english} {' and '.join(others)}",
                    f"{shown[index]}{chinese}{'、'.join(others)}",
                ),
            )
        if -sign not in orders:
            unbeaten.append(index)
    first, second = unbeaten[:2]  # a finite partial order without a least element has two minimal
    if _order(values[first], values[second]) == 0:
        return failed(
            FailureReason.TIE,
            step.say(
                f"{shown[first]} and {shown[second]} are equal, so neither comes first",
                f"{shown[first]}与{shown[second]}相等，不分先后",
            ),
        )
    return failed(
        FailureReason.INCOMPARABLE,
        step.say(
            f"the order of {shown[first]} and {shown[second]} is not certain",
            f"{shown[first]}与{shown[second]}无法确定先后大小",
        ),
    )


def _order(a: DateValue | NumberValue, b: DateValue | NumberValue) -> int | None:
    try:
        return _compare(a, b)
    except Incomparable:
        return None


def _compare(a: DateValue | NumberValue, b: DateValue | NumberValue) -> int:
    if isinstance(a, DateValue) and isinstance(b, DateValue):
        return a.compare(b)
    if isinstance(a, NumberValue) and isinstance(b, NumberValue):
        return a.compare(b)
    raise Incomparable(f"{a} and {b} are a date and a number")


def _dates(answers: Sequence[str]) -> list[DateValue | None]:
    return [parse_date(answer) for answer in answers]


def _quantities(step: Step) -> Sequence[NumberValue | DateValue | None]:
    """Read numbers; failing that, the lengths of periods, or of lists where “more” is asked."""
    periods = [parse_date(answer) for answer in step.answers]
    spans = [p for p in periods if p is not None and p.precision == Precision.SPAN]
    if len(spans) == len(step.answers):
        return [parse_number(f"{period.years} years") for period in spans]
    numbers = [_quantity(answer) for answer in step.answers]
    if None not in numbers:
        return _of_one_dimension(step.answers) or numbers
    lists = [items_of(answer) for answer in step.answers]
    if _HOW_MANY.search(step.text) and any(len(items) > 1 for items in lists):
        return [parse_number(str(len(items))) for items in lists]
    return numbers


def _of_one_dimension(answers: Sequence[str]) -> list[NumberValue] | None:
    """Return the first number of each answer that has a unit of what all of them measure.

    "10th highest at 8,091 m" and "8,051 m" are two heights.
    """
    listed = [numbers_in(answer) for answer in answers]
    for dimension in dict.fromkeys(n.dimension for n in listed[0] if n.dimension):
        found = [next((n for n in row if n.dimension == dimension), None) for row in listed]
        if None not in found:
            return [number for number in found if number is not None]
    return None


def _quantity(answer: str) -> NumberValue | None:
    """Read a number, but no number out of a date (“May 1990”)."""
    if is_number(answer):
        return parse_number(answer)
    date = parse_date(answer)
    return parse_number(answer) if date is None or date.precision < Precision.MONTH else None


def _shown(value: DateValue | NumberValue, language: str) -> str:
    return value.spoken(language) if isinstance(value, DateValue) else str(value)
