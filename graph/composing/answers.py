"""How an answer is led to in an English statement: "in 1929", "on 5 May", "300 people"."""

from __future__ import annotations

import re
from typing import Any

from graph.composing.words import HERE, Asked, text_of
from graph.planning.language import noun_type, parser
from graph.types import AnswerType
from graph.values import is_date, is_number, parse_date, parse_number
from graph.values.dates import Precision

_PLACED = re.compile(
    r"(?:in|on|at|by|near|from|to|off|outside|inside|under|over|above|below|behind|beside|between|"
    r"among|along|across|around|throughout|within|through|into|onto|during|after|before|since|"
    r"until|about|circa|as|for|with|when|while|where|every|once|upon|next|later|early in|late in)"
    r"\b",
    re.IGNORECASE,
)
_PERIOD = re.compile(
    r"(?:the )?(?:early |mid-?|late )*(?:(?:spring|summer|autumn|fall|winter|january|february|march"
    r"|april|may|june|july|august|september|october|november|december)\b|\d{3,4}s?\b|\d+(?:st|nd|rd"
    r"|th)[ -]centur|\w+ century\b)",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day\b", re.IGNORECASE)
_REASON = re.compile(r"(?:because|since|as|due|to|so|in order|owing|thanks|for)\b", re.IGNORECASE)
_MEASURED = {"tall", "long", "high", "wide", "deep", "large", "big", "heavy", "thick", "old"}
_SHARES = {"percentage", "percent", "amount", "share", "proportion", "fraction", "part", "portion"}
_KINDS = {"kind", "type", "sort"}


def values(asked: Asked, answer: str, *, copula: bool) -> list[str]:
    """Return what may stand for the words asked: the answer, with the noun that it counts.

    None where the answer alone says nothing: "300" for how tall.
    """
    word, after = asked.word.lower_, asked.after
    if word == "whose":
        owner = HERE if re.search(r"['’]s?$", answer) else f"{HERE}'s"
        return [f"{owner} {text_of(after)}"]
    if word == "how":
        return _measures(asked, answer, copula=copula)
    if re.fullmatch(r"\d+(?:st|nd|rd|th)", answer):
        return [f"the {HERE} {text_of(after)}"]
    of = next((n for n, token in enumerate(after) if token.lower_ == "of"), None)
    if not of:
        return [HERE]
    if after[of - 1].lemma_ in _SHARES and " of " not in answer:
        return [f"{HERE} {text_of(after[of:])}"]
    if after[of - 1].lemma_ in _KINDS and not _counts(answer, asked.head):
        return [HERE, f"{HERE} {text_of(after[of + 1 :])}"]
    return [HERE]


def _counts(answer: str, noun: Any) -> bool:
    """Tell whether an answer names what is asked for: "field trips" for how many trips."""
    words = re.findall(r"\w+", answer.lower())
    return any(word[:5] == noun.lower_[:5] for word in words)


def _measures(asked: Asked, answer: str, *, copula: bool) -> list[str]:
    after = asked.after
    if not after:
        return []
    number = parse_number(answer)
    bare = is_number(answer) and number is not None and number.unit is None
    asked_for, noun = after[0].lower_, after[1:]
    if asked_for not in {"many", "much"}:
        if bare and asked_for != "old":
            return []
        said = asked_for in _MEASURED and copula and not bare and asked_for not in answer.split()
        return [f"{HERE} {asked_for}" if said else HERE]
    if not noun or not bare or _counts(answer, asked.head):
        # "653 years" for how many years after the founding of Rome.
        return [f"{HERE} {text_of(token for token in noun if token.i > asked.head.i)}"]
    if re.fullmatch(r"1|one", answer, re.IGNORECASE) and noun[-1].tag_ == "NNS":
        return [f"{HERE} {text_of(noun[:-1])}{noun[-1].lemma_}"]
    return [f"{HERE} {text_of(noun)}"]


def prepositions(asked: Asked, answer: str, *, bare: Any, moving: bool) -> list[str]:
    """Return the prepositions that may lead to the answer, each with its space.

    Parameters
    ----------
    bare
        The subject where nothing else is said of it, as in "Where was the birthplace of X?".
    moving
        Whether the verb asks where to.
    """
    given = asked.preposition
    if given and answer.casefold().startswith(f"{given} "):
        return [""]
    if given not in {"", "in", "on", "at"}:
        return [f"{given} "]
    if not given and _PLACED.match(answer):
        return [""]
    kind = noun_type(asked.head.lemma_)
    if asked.word.lower_ == "where" or kind is AnswerType.PLACE:
        if bare is not None and noun_type(bare.lemma_) is AnswerType.PLACE:
            return [""]
        return [f"{given} "] if given else ["to ", "in "] if moving else ["in ", "at "]
    if asked.word.lower_ != "when" and kind is not AnswerType.DATE:
        return [f"{given} "]
    if bare is not None and noun_type(bare.lemma_) is AnswerType.DATE:
        return [""]
    if is_date(answer):
        return [_of_date(answer)]
    if _WEEKDAY.match(answer):
        return ["on "]
    if _PERIOD.match(answer):
        return ["in "]
    return [f"{given} "] if given else ["in ", "on ", "at "]


def _of_date(answer: str) -> str:
    date = parse_date(answer)
    if date is None or date.precision is not Precision.SPAN:
        return "on " if date is not None and date.precision is Precision.DAY else "in "
    return "from " if " to " in answer else "in "


def reasons(answer: str) -> list[str]:
    """Return what may lead to the answer of a "why", each with its space."""
    if _REASON.match(answer):
        return [""]
    tokens = parser()(answer)
    finite = any(token.tag_ in {"VBD", "VBZ", "VBP", "MD"} for token in tokens)
    clause = finite and any(token.dep_.startswith("nsubj") for token in tokens)
    return ["because "] if clause else ["because of "]


def ways(answer: str) -> list[str]:
    """Return what may lead to the answer of a "how", each with its space."""
    tokens = parser()(answer)
    if _PLACED.match(answer) or tokens[0].pos_ in {"ADV", "ADP"}:
        return [""]
    return ["by "] if tokens[0].tag_ == "VBG" else ["by ", "through "]
