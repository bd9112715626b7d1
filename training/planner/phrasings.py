"""What may be asked of what, and in which words: the checked content of `phrasings.json`."""

from __future__ import annotations

import functools
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from graph.types import Operator

PHRASINGS = Path(__file__).with_name("phrasings.json")


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Thing(_Data):
    """How a kind of thing is spoken of."""

    mentions: tuple[str, ...] = Field(min_length=1)
    which: tuple[str, ...] = Field(min_length=1)
    that: str
    who: str
    plural: str


class Shared(_Data):
    """How things of a relation are said to be those of two: "award", "receive", "received"."""

    noun: str
    do: str
    did: str


class Relation(_Data):
    """A one-hop fact: how it is asked, and how what it leads to is described."""

    name: str
    of: tuple[str, ...] = Field(min_length=1)
    gives: str
    ways: tuple[tuple[str, str], ...] = Field(min_length=1)
    """A question and a description in the same words, with `{x}` for what is asked about."""
    situ: tuple[str, ...] = ()
    """Questions whose question word stands where the answer would."""
    role: str | None = None
    did: str | None = None
    noun: str | None = None
    nouns: str | None = None
    shared: Shared | None = None


class Comparison(_Data):
    """How two things are compared."""

    of: str
    asks: str
    operator: Operator
    clauses: tuple[str, ...] = Field(min_length=1)
    inverted: tuple[str, ...] = Field(min_length=1)
    than: tuple[str, ...] = Field(min_length=1)
    """Questions that yes or no answers."""


class Gap(_Data):
    """What is computed from two numbers or dates."""

    of: str
    asks: str
    operator: Operator
    phrases: tuple[str, ...] = Field(min_length=1)


class Count(_Data):
    """Things that are named by one answer and counted."""

    of: str
    asks: str
    plural: str
    helper: str
    do: str
    did: str


class Kin(_Data):
    """A word of kinship, and the relations behind it from the inside."""

    word: str
    via: tuple[str, ...] = Field(min_length=2)


class Says(_Data):
    """What may be said of a thing, `{y}` being one of the names or values of a kind."""

    of: str
    asks: str
    values: str
    said: str
    label: str = "{y}"
    """What the operator looks for in the answer."""
    be: str
    bes: str


class Grammar(_Data):
    """What is asked in one language, and how."""

    kinds: dict[str, Thing]
    relations: tuple[Relation, ...]
    comparisons: tuple[Comparison, ...]
    gaps: tuple[Gap, ...]
    counts: tuple[Count, ...]
    kin: tuple[Kin, ...]
    asks_kin: str
    says_kin: str
    says: tuple[Says, ...]
    values: dict[str, tuple[str, ...]] = {}
    """Values that are no names of the data."""
    templates: dict[str, tuple[str, ...]]


class _Grammars(_Data):
    en: Grammar
    zh: Grammar


@functools.cache
def grammar_of(language: str) -> Grammar:
    """Read and check the phrasings of "en" or "zh"."""
    grammars = _Grammars.model_validate_json(PHRASINGS.read_text(encoding="utf-8"))
    return {"en": grammars.en, "zh": grammars.zh}[language]
