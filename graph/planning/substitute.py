"""References between steps (`#k`), and other wordings of a sub-question."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"#(\d+)")


def references(text: str) -> list[int]:
    """Return the numbers of the steps that a text refers to, in order, once each."""
    return list(dict.fromkeys(int(number) for number in _REFERENCE.findall(text)))


def fill(text: str, answers: Mapping[int, str]) -> str:
    """Put the answers in place of their references; unknown references stay."""
    return _REFERENCE.sub(lambda m: answers.get(int(m[1]), m[0]), text)


_REWORDINGS = (
    (r"^When was (?P<x>.+) born\?$", "What is the date of birth of {x}?"),
    (r"^When did (?P<x>.+) die\?$", "What is the date of death of {x}?"),
    (r"^Where was (?P<x>.+) born\?$", "What is the birthplace of {x}?"),
    (r"^Where did (?P<x>.+) die\?$", "What is the place of death of {x}?"),
    (
        r"^When was (?P<x>.+) (?:released|published|founded|established)\?$",
        "In what year did {x} begin?",
    ),
    (r"^(?:Who|What) (?:is|was) the director of (?P<x>.+)\?$", "Who directed {x}?"),
    (
        r"^(?:Who|What) (?:is|was) the (?P<r>[\w -]+?) of (?P<x>.+)\?$",
        "Who or what was the {r} of {x}?",
    ),
    (r"^(?P<x>.+)的(?P<r>[^的]+)是(?:谁|什么|哪里)？?$", "谁是{x}的{r}？"),
)


def rewordings(text: str) -> list[str]:
    """Return other ways to ask the same, the most natural first; never the text itself."""
    found = []
    for pattern, form in _REWORDINGS:
        match = re.match(pattern, text)
        if match:
            found.append(form.format(**match.groupdict()))
    return [wording for wording in dict.fromkeys(found) if wording != text]
