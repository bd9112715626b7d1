"""Answers that are lists."""

from __future__ import annotations

import re

from graph.normalise import same_answer
from graph.values import is_date, is_number

_SEPARATORS = re.compile(
    r"\s*[,;，；、/&]\s*(?:and\s+|or\s+|以及)?|\s+(?:and|or|as well as)\s+"
    r"|(?<=[\u4e00-\u9fff])(?:和|与|及|以及|或)(?=[\u4e00-\u9fff])"
)


def items_of(text: str) -> list[str]:
    """Return the items of a list in words, each meaning once; a text that is no list is one item.

    A date or a number is one item, whatever commas it holds.
    """
    if is_date(text) or is_number(text):
        return [text.strip()]
    kept: list[str] = []
    for item in _SEPARATORS.split(text.strip(" .。")):
        item = item.strip()
        if item and not any(same_answer(item, other) for other in kept):
            kept.append(item)
    return kept
