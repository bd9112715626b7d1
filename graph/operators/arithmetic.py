"""COUNT, SUM and DIFFERENCE."""

from __future__ import annotations

import re
from decimal import Decimal

from graph.normalise import same_answer
from graph.operators.items import items_of
from graph.operators.result import OperatorResult, Step, failed
from graph.types import FailureReason
from graph.values import (
    DateValue,
    Incomparable,
    NumberValue,
    Precision,
    full_days,
    is_number,
    parse_date,
    parse_number,
)

_DAYS_ASKED = re.compile(r"\bdays\b|多少天|几天", re.I)


def count(step: Step) -> OperatorResult:
    """Count the different items of all answers together; one number stands for itself."""
    if len(step.answers) == 1 and is_number(step.answers[0]):
        number = parse_number(step.answers[0])
        return OperatorResult(
            answer=str(number),
            explanation=step.say(f"the answer is the number {number}", f"答案即数字{number}"),
        )
    items: list[str] = []
    for answer in step.answers:
        for item in items_of(answer):
            if not any(same_answer(item, other) for other in items):
                items.append(item)
    listed = step.say("; ", "、").join(items)
    return OperatorResult(
        answer=str(len(items)),
        explanation=step.say(f"{len(items)} are named: {listed}", f"共{len(items)}个：{listed}"),
    )


def total(step: Step) -> OperatorResult:
    """Add numbers of one dimension, in the unit of the first."""
    numbers = _numbers(step)
    if isinstance(numbers, OperatorResult):
        return numbers
    for number in numbers[1:]:
        numbers[0].compare(number)  # raises Incomparable where they cannot be added
    answer = numbers[0].converted(sum((number.base for number in numbers), Decimal(0)))
    shown = " + ".join(str(number) for number in numbers)
    return OperatorResult(answer=_written(answer, step), explanation=f"{shown} = {answer}")


def difference(step: Step) -> OperatorResult:
    """Subtract the smaller of two numbers from the larger, or count the years between two dates.

    Whole years where both days are known, else the years' difference; days where they are asked for
    and both known.
    """
    if len(step.answers) != 2:
        return failed(FailureReason.TYPE_MISMATCH, "a difference is between two answers")
    dates = [_date(answer) for answer in step.answers]
    if dates[0] and dates[1]:
        return _between(step, *sorted((dates[0], dates[1]), key=lambda d: d.start))
    numbers = _numbers(step)
    if isinstance(numbers, OperatorResult):
        return numbers
    low, high = numbers if numbers[0].compare(numbers[1]) <= 0 else numbers[::-1]
    answer = high.converted(high.base - low.base)
    return OperatorResult(answer=_written(answer, step), explanation=f"{high} − {low} = {answer}")


def _date(answer: str) -> DateValue | None:
    """Read a date; a number that is too long, or has a unit, is none."""
    number = parse_number(answer) if is_number(answer) else None
    if number and (number.unit or not 1000 <= number.value <= 2199):
        return parse_date(answer) if re.search(r"\d年", answer) else None
    return parse_date(answer)


def _between(step: Step, first: DateValue, last: DateValue) -> OperatorResult:
    for value in (first, last):
        if value.precision == Precision.SPAN:
            raise Incomparable(f"{value.spoken(step.language)} is a period and not one date")
    begun, ended = full_days(first), full_days(last)
    shown = [value.spoken(step.language) for value in (first, last)]
    if _DAYS_ASKED.search(step.text):
        if begun is None or ended is None:
            raise Incomparable(f"the days between {shown[0]} and {shown[1]} cannot be counted")
        days = (ended - begun).days
        answer = step.say(f"{days} day{'s' * (days != 1)}", f"{days}天")
    else:
        years = last.start[0] - first.start[0]
        if Precision.DAY == first.precision == last.precision:
            years -= last.start[1:] < first.start[1:]
        answer = step.say(f"{years} year{'s' * (years != 1)}", f"{years}年")
    return OperatorResult(
        answer=answer,
        explanation=step.say(
            f"from {shown[0]} to {shown[1]} is {answer}", f"从{shown[0]}到{shown[1]}是{answer}"
        ),
    )


def _numbers(step: Step) -> list[NumberValue] | OperatorResult:
    numbers = []
    for answer in step.answers:
        number = parse_number(answer)
        if number is None:
            return failed(
                FailureReason.TYPE_MISMATCH,
                step.say(f"“{answer}” is no number", f"“{answer}”不是数字"),
            )
        numbers.append(number)
    return numbers


_ZH_DURATION = {
    "year": "年",
    "month": "个月",
    "week": "周",
    "day": "天",
    "hour": "小时",
    "minute": "分钟",
    "second": "秒",
}


def _written(number: NumberValue, step: Step) -> str:
    if step.language == "zh" and number.unit in _ZH_DURATION:
        return f"{number.value.normalize():f}{_ZH_DURATION[number.unit]}"
    return str(number)
