"""Steps computed from earlier answers by typed code, never by a model.

`apply` is the only door. Each operator reads typed values out of the answers; what it cannot read
or order it refuses, with the reason, and never guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graph.operators.arithmetic import count, difference, total
from graph.operators.choose import choose
from graph.operators.common import intersection
from graph.operators.judge import affirmed, same
from graph.operators.result import OperatorResult, Step, failed
from graph.planning.substitute import fill
from graph.types import FailureReason, Operator, SubQuestion
from graph.values import Incomparable

__all__ = ["OperatorResult", "apply"]

_OPERATORS: dict[Operator, Callable[[Step], OperatorResult]] = {
    Operator.EARLIER: choose,
    Operator.LATER: choose,
    Operator.LARGER: choose,
    Operator.SMALLER: choose,
    Operator.SAME: same,
    Operator.DIFFERENT: same,
    Operator.BOTH: affirmed,
    Operator.EITHER: affirmed,
    Operator.INTERSECTION: intersection,
    Operator.COUNT: count,
    Operator.SUM: total,
    Operator.DIFFERENCE: difference,
}


def apply(step: SubQuestion, answers: Mapping[int, str], language: str = "en") -> OperatorResult:
    """Compute an operator step from the answers of the steps before it.

    Parameters
    ----------
    step
        A step of kind “operator”. Its labels are what a choice answers, one an argument, where
        “#k” stands for the answer of step k; without labels the winning argument's own answer is
        given. For BOTH and EITHER, labels are the phrases that answers which are not yes or no
        must affirm (“actor”), one for all or one an argument.
    answers
        Step number (from 1) to answer; must hold every argument.
    language
        Language of yes/no, of counted units and of the explanation: “zh” or else English.

    Raises
    ------
    ValueError
        If `step` is no operator, or an argument has no answer: the caller's mistake.

    Examples
    --------
    >>> step = SubQuestion(text="Who was born first?", kind="operator", operator="earlier",
    ...                    arguments=(1, 2), labels=("Ann Lee", "Bo Ek"))
    >>> result = apply(step, {1: "February 17, 1898", 2: "23 May 1947"})
    >>> result.answer, result.explanation
    ('Ann Lee', '17 February 1898 is before 23 May 1947')
    """
    if step.operator is None:
        raise ValueError(f"“{step.text}” is a lookup, which is sought and not computed")
    missing = [number for number in step.arguments if number not in answers]
    if missing:
        raise ValueError(f"“{step.text}” needs the answer of step {missing[0]}, which is not bound")
    if len(step.arguments) < step.operator.fewest:
        return failed(
            FailureReason.TYPE_MISMATCH,
            f"“{step.operator}” needs at least {step.operator.fewest} arguments",
        )
    filled = tuple(fill(label, answers) for label in step.labels)
    given = tuple(answers[number].strip() for number in step.arguments)
    inner = Step(step.operator, step.text, given, filled, "zh" if _is_zh(language) else "en")
    try:
        return _OPERATORS[step.operator](inner)
    except Incomparable as error:
        words = inner.say(str(error), f"{'与'.join(given)}无法比较")
        return failed(FailureReason.INCOMPARABLE, words)


def _is_zh(language: str) -> bool:
    return language.lower().startswith(("zh", "chinese"))
