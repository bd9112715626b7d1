"""What the English statements are put together from: the words of a parsed question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graph.composing.verbs import past, third_person
from graph.planning.language import noun_type, parser
from graph.types import AnswerType

HERE = "\ue000"
"""Stands for the answer until the titles of the question are put back."""
ADDED = frozenset(
    "yes no not cannot in on at to from by through because of the a an is are were have".split()
)
"""The words that a statement may hold beside those of the question, in any form of their verbs and
nouns, and of the answer."""
DO = {"do", "does", "did"}
BE = {"is", "are", "was", "were"}
AUXILIARY = DO | BE | set("has have had can could will would shall should may might must".split())


SUBJECT = {"nsubj", "nsubjpass", "csubj", "csubjpass", "expl"}


@dataclass(frozen=True)
class Word:
    """A word of the question that is said in another form."""

    text_with_ws: str
    dep_: str
    i: int
    lemma_: str
    pos_: str = "VERB"


@dataclass(frozen=True)
class Asked:
    """The words of a question that its answer stands for."""

    doc: Any
    word: Any
    """The question word."""
    head: Any
    """The noun or adjective that it asks about: the "city" of "which city", else the word."""
    begin: int
    end: int
    preposition: str
    """What stands before it: the "in" of "in which city", or nothing."""

    @property
    def is_word(self) -> bool:
        """Whether the question word stands alone."""
        return bool(self.head.i == self.word.i)

    @property
    def after(self) -> list[Any]:
        """The words behind the question word."""
        return list(self.doc[self.word.i + 1 : self.end])

    @property
    def noun(self) -> str:
        return text_of(self.after).strip()

    @property
    def adverbial(self) -> bool:
        """Whether it says when or where without a preposition: "what year", "which day"."""
        if self.is_word:
            return False
        kind = noun_type(self.head.lemma_)
        return kind is AnswerType.DATE or (
            kind is AnswerType.PLACE and self.head.dep_ == "npadvmod"
        )


def text_of(words: Iterable[Any]) -> str:
    """Return the text of words as it stands in the question, or as they are said instead."""
    return "".join(word.text_with_ws for word in words)


def inflected(words: Sequence[Any], verb: Any, helper: str) -> list[Any]:
    """Return the words with the verb in the form that its helper (do, does, did) had."""
    if any(word.dep_ == "neg" for word in words):
        return list(words)
    form = {"did": past, "does": third_person}.get(helper, str)(verb.lower_)
    said = Word(form + verb.whitespace_, verb.dep_, verb.i, verb.lemma_)
    return [said if word.i == verb.i else word for word in words]


def agreeing(words: Sequence[Any], answer: str) -> list[Any]:
    """Return the words that follow a subject with their verb in the plural where it is one.

    "Who dominates …?" may be answered by "Kenyan athletes".
    """
    verb = words[0]
    root = next(iter(parser()(answer).sents)).root
    if (verb.tag_ != "VBZ" and verb.lower_ != "was") or root.tag_ != "NNS":
        return list(words)
    plural = {"is": "are", "was": "were", "has": "have"}.get(verb.lower_, verb.lemma_)
    return [Word(plural + verb.whitespace_, verb.dep_, verb.i, verb.lemma_), *words[1:]]


def subject_after(doc: Any, at: int) -> tuple[Any, list[Any], list[Any]]:
    """Return the subject that stands right behind the verb at a place, and what follows it.

    Its chief word comes first; nothing where there is no such subject.
    """
    root = next(iter(doc.sents)).root
    # A subject may hang on the helper.
    around = [token for token in doc[at + 1 :] if token.head.i in {root.i, at}]
    subjects = [token for token in around if token.dep_ in SUBJECT]
    if not subjects and root.i == at == 0:
        subjects = [token for token in around if token.dep_ == "attr"]
    if not subjects or subjects[0].left_edge.i != at + 1:
        return None, [], []
    top = subjects[0]
    # "Was X most active in …": what is said of the subject is no part of it.
    said = (child for child in top.rights if child.pos_ == "ADJ" and root.i == at)
    end = next((child.left_edge.i for child in said), top.right_edge.i + 1)
    return top, list(doc[at + 1 : end]), list(doc[end:])
