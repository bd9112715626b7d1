"""The state that flows through the machine: data only, so that it can be written to disk."""

from __future__ import annotations

import operator
import unicodedata
from typing import Annotated, NotRequired, TypedDict

from graph.types import AnswerType, Outcome, Path, Plan, StepResult
from retrievers.passage import Hit, Passage

_MARKS = str.maketrans(
    {**dict.fromkeys("‘’‛ʼ`´", "'"), **dict.fromkeys("“”„«»", '"'), **dict.fromkeys("‐‑‒–—−", "-")}
    | {chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}
    | {"\u3000": " "}
)
"""Quotes and dashes as a keyboard has them, and characters of full width as those of half."""


class Task(TypedDict):
    """One ready sub-question with what was retrieved for it."""

    step: int
    question: str
    expects: AnswerType
    hits: list[Hit]
    named: NotRequired[list[str]]
    """Answers of steps on the way to this one's answer, which cannot be that answer again."""
    whole: NotRequired[str | None]
    """The whole question, where it was split into lookups alone: no step's answer stands in it."""


class State(TypedDict, total=False):
    question: str
    language: str
    searchable: bool
    """False where there is no index, or an empty one: then the model answers alone."""
    plans: list[Plan]
    frontier: list[Path]
    """Paths that could be opened next."""
    walked: list[Path]
    """Paths that were opened, as they were when they were opened; the last one is current."""
    path: Path
    """The current path with what is bound so far."""
    tasks: list[Task]
    memory: Annotated[dict[str, StepResult], operator.or_]
    """What is known of each sub-question, by `memory_key`, shared by all paths."""
    passages: Annotated[dict[str, Passage], operator.or_]
    """Every passage seen, by id, in the order in which it was found."""
    outcomes: Annotated[list[Outcome], operator.add]
    finished: bool
    """True when the current path ended, solved or failed."""
    asked: frozenset[str]
    """What a person was asked about, by `memory_key`, so that nothing is asked twice."""


def initial(question: str, language: str, searchable: bool) -> State:
    """Return the state in which a question enters the machine."""
    return {
        "question": question,
        "language": language,
        "searchable": searchable,
        "plans": [],
        "frontier": [],
        "walked": [],
        "tasks": [],
        "memory": {},
        "passages": {},
        "outcomes": [],
        "asked": frozenset(),
        "finished": False,
    }


def memory_key(question: str) -> str:
    """Return the form under which a sub-question is remembered across paths.

    Case, spaces, the width of characters, the shape of quotes and dashes, and the question mark do
    not count: what differs in these alone is not looked up twice. Idempotent.

    Examples
    --------
    >>> memory_key("Who was  Conan O’Brien？") == memory_key("who was conan o'brien")
    True
    """
    plain = unicodedata.normalize("NFC", question.translate(_MARKS)).casefold()
    return " ".join(unicodedata.normalize("NFC", plain).split()).rstrip("? ")
