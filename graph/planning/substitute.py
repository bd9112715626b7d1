"""References between steps (`#k`), and other wordings of a sub-question."""

from __future__ import annotations

import re
from collections.abc import Mapping

from graph.types import SubQuestion

_REFERENCE = re.compile(r"#(\d+)")


def references(text: str) -> list[int]:
    """Return the numbers of the steps that a text refers to, in order, once each."""
    return list(dict.fromkeys(int(number) for number in _REFERENCE.findall(text)))


def unreferenced(text: str) -> str:
    """Return a text of the user's in which no “#1” of its own passes for a reference.

    Examples
    --------
    >>> unreferenced("Who sang the #1 hit?"), unreferenced("What is new in C#7?")
    ('Who sang the No. 1 hit?', 'What is new in C# 7?')
    """
    return re.sub(r"#(?=\d)", "# ", re.sub(r"(?<!\w)#(?=\d)", "No. ", text))


def needs(step: SubQuestion) -> set[int]:
    """Return the steps whose answers a step needs: those that its text, arguments and labels name.

    The numbers are as they stand there; whether there are such steps is for the check to say.
    """
    return {*step.arguments, *(n for text in (step.text, *step.labels) for n in references(text))}


def fill(text: str, answers: Mapping[int, str]) -> str:
    """Put the answers in place of their references; unknown references stay."""
    return _REFERENCE.sub(lambda m: answers.get(int(m[1]), m[0]), text)


_REWORDINGS = (
    (r"^When was (?P<x>.+) born\?$", "What is the date of birth of {x}?"),
    (r"^When did (?P<x>.+) die\?$", "What is the date of death of {x}?"),
    (r"^Where was (?P<x>.+) born\?$", "What is the birthplace of {x}?"),
    (r"^Where did (?P<x>.+) die\?$", "What is the place of death of {x}?"),
    (r"^What is the (?:date of birth|birth date|birthday) of (?P<x>.+)\?$", "When was {x} born?"),
    (r"^What is the (?:date of death|death date) of (?P<x>.+)\?$", "When did {x} die?"),
    (r"^What is the (?:place of birth|birthplace) of (?P<x>.+)\?$", "Where was {x} born?"),
    (r"^What is the place of death of (?P<x>.+)\?$", "Where did {x} die?"),
    (r"^What nationality (?:is|was) (?P<x>.+)\?$", "Which country is {x} from?"),
    (r"^Which country is (?P<x>.+) from\?$", "What nationality is {x}?"),
    (r"^In which country is (?P<x>.+)\?$", "Where is {x} located?"),
    (
        r"^When was (?P<x>.+) (?:released|published|founded|established|built)\?$",
        "In what year did {x} begin?",
    ),
    (r"^(?:Who|What) (?:is|was) the director of (?P<x>.+)\?$", "Who directed {x}?"),
    (r"^(?:Who|What) (?:is|was) the composer of (?P<x>.+)\?$", "Who composed {x}?"),
    (r"^(?:Who|What) (?:is|was) the (?:performer|singer) of (?P<x>.+)\?$", "Who sang {x}?"),
    (r"^(?:Who|What) (?:is|was) the (?:author|writer) of (?P<x>.+)\?$", "Who wrote {x}?"),
    (r"^(?:Who|What) (?:is|was) the founder of (?P<x>.+)\?$", "Who founded {x}?"),
    (
        r"^Who (?:is|was) the (?:spouse|husband|wife) of (?P<x>.+)\?$",
        "Who was {x} married to?",
    ),
    (
        r"^Who (?:is|was) (?P<x>.+)['’]s? (?:spouse|husband|wife)\?$",
        "Who was {x} married to?",
    ),
    (
        r"^Who (?:is|was) the (?:father|mother|parent) of (?P<x>.+)\?$",
        "Who was {x} born to?",
    ),
    (
        r"^(?P<w>Who|What) (?P<v>is|was) (?P<x>[^?]+)['’]s? (?P<r>[a-z][\w -]*)\?$",
        "{w} {v} the {r} of {x}?",
    ),
    (
        r"^(?:Who|What) (?:is|was) the (?P<r>[\w -]+?) of (?P<x>.+)\?$",
        "Who or what was the {r} of {x}?",
    ),
    (r"^How many (?P<r>.+) does (?P<x>.+) have\?$", "What is the number of {r} of {x}?"),
    (r"^(?P<x>.+?)(?:是什么时候|什么时候)出生的？?$", "{x}的出生日期是哪一天？"),
    (r"^(?P<x>.+?)(?:是什么时候|什么时候)(?:去世|逝世)的？?$", "{x}于哪一年去世？"),
    (r"^(?P<x>.+?)出生在哪里？?$", "{x}的出生地是什么地方？"),
    (r"^(?P<x>.+?)是哪国人？?$", "{x}的国籍是什么？"),
    (r"^(?P<x>.+)的(?P<r>[^的]+)是(?:谁|什么|哪里)？?$", "谁是{x}的{r}？"),
)


_QUALIFIER = re.compile(r"(?<=[\w”\"》])(?:\s+\([^()（）#]*\)|\s*（[^()（）#]*）)")


def generalised(text: str) -> str:
    """Return a question without what stands in brackets behind a name; the same where nothing does.

    What stands there tells which of several things is meant, and a passage may not say it. A time
    or a place in the sentence stays: without it another answer would be right.

    Examples
    --------
    >>> generalised("Who directed Modesty Blaise (1966 film)?")
    'Who directed Modesty Blaise?'
    """
    return _QUALIFIER.sub("", text)


def rewordings(text: str) -> list[str]:
    """Return other ways to ask the same, then a more general question; never the text itself."""
    found = []
    for pattern, form in _REWORDINGS:
        match = re.match(pattern, text)
        if match:
            found.append(form.format(**match.groupdict()))
    found.append(generalised(text))
    return [wording for wording in dict.fromkeys(found) if wording != text]
