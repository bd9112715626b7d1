"""The sentences that may give an answer: made by the rules of its language, with the citations."""

from __future__ import annotations

from collections.abc import Sequence

from graph.composing import chinese, english
from graph.values import parse_yes_no

MAX_BYTES = 420
"""The longest sentence that is made of a question, in UTF-8: a small model needs two tokens for
a Chinese character, and longer questions are better not repeated."""


def sentences(
    question: str, answer: str, numbers: Sequence[int], language: str = "en"
) -> list[str]:
    """Return the sentences that may give an answer: at least one, the likeliest first.

    Each holds the answer as it is (but for a capital at its begin, and its own full stop) and
    `[n]` for each of `numbers`. Where no rule applies, the answer stands alone.

    Examples
    --------
    >>> sentences("When was Jindřich Polák born?", "1925", [1, 2])
    ['Jindřich Polák was born in 1925 [1][2].']
    >>> sentences("他出生在哪个城市？", "布拉格", [1], "zh")
    ['他出生在布拉格[1]。']
    >>> sentences("Tell me of him.", "a director", [1])
    ['a director [1].']
    """
    marks = "".join(f"[{number}]" for number in numbers)
    if language == "zh":
        made = [f"{said}{marks}。" for said in chinese.statements(question, answer)]
        plain = f"{answer.rstrip('。')}{marks}。"
    else:
        made = [_ended(said, marks) for said in english.statements(question, answer)]
        bare = parse_yes_no(answer) is not None
        plain = _ended(answer.capitalize() if bare else answer, marks)
    return [said for said in made if len(said.encode()) <= MAX_BYTES] or [plain]


def _ended(said: str, marks: str) -> str:
    if marks:
        return f"{said} {marks}."
    return said if said.endswith((".", "!", "?")) else f"{said}."
