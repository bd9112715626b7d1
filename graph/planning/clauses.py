"""From a noun and the clause attached to it to the question that the clause answers."""

from __future__ import annotations

import re
from typing import Any

from graph.planning.language import noun_type
from graph.types import AnswerType

_AUXILIARIES = {"aux", "auxpass"}
_RELATIVE = {"WDT", "WP", "WRB", "WP$"}


def text_of(tokens: list[Any]) -> str:
    """Return the tokens as they stood, without spaces and commas around them."""
    return "".join(t.text_with_ws for t in tokens).strip(" ,")


def question_word(head: Any) -> str:
    """Return the word that asks for a noun: who for people, what for the rest."""
    return "Who" if noun_type(head.lemma_) is AnswerType.PERSON else "What"


def asked_of_clause(head: Any, clause: Any, members: list[Any]) -> str | None:
    """Return the question for "the actor who played X", say: "Who played X?".

    `members` are the tokens of the phrase around `head`; None where the clause has a form that is
    not known.
    """
    among = {t.i for t in members}
    inside = [t for t in clause.subtree if t.i in among]
    if not inside:
        return None
    left = [t for c in head.lefts if c.dep_ not in {"det", "poss"} for t in c.subtree]
    # "the same state that holds X": the same as another is not asked of the state.
    noun = " ".join(t.text for t in [*left, head] if t.lower_ != "same")
    bare = question_word(head) == "Who" and not left
    asked = "Who" if bare else f"Which {noun}"
    if clause.dep_ == "acl":
        return _asked_of_participle(asked, clause, inside)
    relative = next(
        (t for t in inside if t.i <= clause.i and (t.tag_ in _RELATIVE or t.lower_ == "that")), None
    )
    if relative is not None and relative.tag_ == "WP$":
        return None
    subject = next((c for c in clause.children if c.dep_ in {"nsubj", "nsubjpass"}), None)
    if subject is None or (relative is None and subject.dep_ == "nsubjpass"):
        return None
    if relative is not None and subject.i == relative.i:
        return f"{asked} {text_of([t for t in inside if t.i != relative.i])}?"
    opening = [t for t in inside if relative is not None and t.i < relative.i]
    if relative is not None and relative.lower_ == "where":
        lead = f"In which {noun}"
    elif relative is not None and relative.lower_ == "when":
        lead = "When"
    elif opening:
        lead = f"{text_of(opening).capitalize()} {'whom' if bare else f'which {noun}'}"
    else:
        lead = asked
    skipped = {t.i for t in opening} | ({relative.i} if relative is not None else set())
    return _inverted(lead, clause, inside, subject, skipped)


def _asked_of_participle(asked: str, clause: Any, inside: list[Any]) -> str | None:
    if clause.tag_ == "VBN":
        return f"{asked} was {text_of(inside)}?"
    if clause.tag_ == "VBG":
        # "the film starring X": "Which film stars X?".
        before = text_of([t for t in inside if t.i < clause.i])
        after = text_of([t for t in inside if t.i > clause.i])
        said = " ".join(filter(None, [before, present(clause.lemma_.lower()), after]))
        return f"{asked} {said}?"
    return None


def present(lemma: str) -> str:
    """Return the present of one: "stars", "watches", "carries"."""
    if lemma in {"be", "have"}:
        return {"be": "is", "have": "has"}[lemma]
    if re.search(r"(?:[sxzo]|[cs]h)$", lemma):
        return f"{lemma}es"
    return re.sub(r"(?<![aeiou])y$", "ie", lemma) + "s"


def _inverted(lead: str, clause: Any, inside: list[Any], subject: Any, skipped: set[int]) -> str:
    """Put the auxiliary before the subject, as a question about an object or a place does."""
    within = {t.i for t in inside}
    subject_tokens = [t for t in subject.subtree if t.i in within]
    skipped = skipped | {t.i for t in subject_tokens}
    auxiliary = next((c for c in clause.children if c.dep_ in _AUXILIARIES and c.i in within), None)
    if auxiliary is None and clause.lemma_ == "be":
        auxiliary = clause
    if auxiliary is not None:
        rest = text_of([t for t in inside if t.i not in skipped and t.i != auxiliary.i])
        return f"{lead} {auxiliary.text} {text_of(subject_tokens)} {rest}".rstrip() + "?"
    helper = "did" if clause.tag_ in {"VBD", "VBN"} else "does"
    rest = " ".join(
        clause.lemma_ if t.i == clause.i else t.text for t in inside if t.i not in skipped
    )
    return f"{lead} {helper} {text_of(subject_tokens)} {rest}?"
