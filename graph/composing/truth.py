"""Statements of yes/no questions: "Yes, X was born in Prague", "No, X and Y are not both films"."""

from __future__ import annotations

import re
from typing import Any

from graph.composing.verbs import past
from graph.composing.words import AUXILIARY, DO, inflected, subject_after, text_of
from graph.planning.masking import Masked

_THING = r"[a-z ]*[A-Z][\w'’]*(?:, [A-Z][\w'’]*)?"
_OF_TWO = re.compile(
    rf"^(?P<verb>Is|Are|Was|Were|Do|Did|Have|Had) (?P<all>both )?"
    rf"(?P<two>(?:of )?(?:the )?(?:[a-z]+ )*?(?:[a-z]+[:,] )?{_THING},? and {_THING})(?P<comma>,?) "
    rf"(?P<rest>[a-z].*)$"
)
_OPEN = {"any", "ever", "yet"}
_EITHER = {"either", "or", "neither"}


def affirmed(text: str, doc: Any, masked: Masked, truth: bool) -> list[str]:
    """Return "yes, X was …" or "no, X was not …" for a question that begins with a verb.

    `text` is the masked question that `doc` parses.
    """
    words = {token.lower_ for token in doc}
    if words & _OPEN or "n't" in words or (not truth and words & _EITHER):
        return []
    return _of_two(text, masked, truth) or _of_one(doc, truth)


def _of_two(text: str, masked: Masked, truth: bool) -> list[str]:
    """Return the statement of "Are both films X and Y from …?", which parsers take for a list."""
    match = _OF_TWO.match(text)
    if match is None or masked.is_title(match["verb"]):
        return []
    verb, rest, both = match["verb"].lower(), match["rest"], match["all"] or ""
    two = re.sub(r"(^|and )(?=[a-z]+ of )", r"\1the ", match["two"]) + match["comma"]
    if not truth:
        # "Both are not films" may mean that neither is.
        return [f"no, {two} {verb} not {both}{rest}"]
    if verb == "do":
        return [f"yes, {both}{two} {rest}"]
    if verb == "did":
        first = "both " if rest.startswith("both ") else ""
        action, _, after = rest.removeprefix("both ").partition(" ")
        return [f"yes, {both}{two} {first}{past(action)} {after}"]
    return [f"yes, {both}{two} {verb} {rest}"]


def _of_one(doc: Any, truth: bool) -> list[str]:
    helper = doc[0].lower_
    if helper not in AUXILIARY:
        return []
    top, subject, rest = subject_after(doc, 0)
    if subject and not rest:
        end = _said_of(doc, top)
        subject, rest = list(doc[1:end]), list(doc[end:])
    if not subject or not rest:
        return []
    if not truth:
        both = ""
        if subject[0].lower_ == "both" and len(subject) > 1:
            subject, both = subject[1:], "both "
        negated = "cannot" if helper == "can" else f"{helper} not"
        return [f"no, {text_of(subject)} {negated} {both}{text_of(rest)}"]
    if helper not in DO:
        return [f"yes, {text_of(subject)} {helper} {text_of(rest)}"]
    verb = next((token for token in rest if token.dep_ == "ROOT"), None)
    if verb is None:
        return []
    return [f"yes, {text_of(subject)} {text_of(inflected(rest, verb, helper))}"]


def _said_of(doc: Any, top: Any) -> int:
    """Return where a subject ends that the parser takes to hold what is said of it.

    "Are X and Y | from the same country?": at the first preposition that leads to the end.
    """
    ends = (
        token.i
        for token in doc[top.i + 1 :]
        if ((token.dep_ == "prep" and token.lower_ != "of") or token.dep_ in {"acl", "amod"})
        and token.left_edge.i == token.i
        and token.right_edge.i == len(doc) - 1
    )
    return next(ends, len(doc))
