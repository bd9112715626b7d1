"""Questions whose question word stands inside a description: "X was written by a man from where?".

The thing described is what the main clause tells, so it is asked first; the question proper is the
clause that describes it.
"""

from __future__ import annotations

import re
from typing import Any

from graph.planning.clauses import text_of
from graph.planning.language import asks_here, parser
from graph.planning.masking import Masked

_FRONTED = re.compile(
    r"^(?:(?:in|on|at|from|to|for|by|of|with|during|since|near|under) )?"
    r"(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|has|have|had)\b",
    re.IGNORECASE,
)

_COUNTED_LAST = re.compile(r"(#\d+) (?:has|had|have) (how many [\w -]+?)\s*\?*")
_ASKED_LAST = re.compile(
    r"(?P<thing>#\d+) (?P<verb>is|was|are|were|has|had|did|does) (?P<said>(?:[\w#'’-]+ ){0,6}?)"
    r"(?P<to>(?:in|on|at|from|to|for|of|with|under|as) )?"
    r"(?P<asked>(?:what|which)(?: [\w'’-]+){1,4}|where|when)\s*\?*"
)


def split_in_situ(masked: Masked) -> tuple[str | None, str] | None:
    """Return the question for the thing described and, about `#1`, the one that describes it.

    None where the question word opens the sentence, or stands in its main clause. The first
    question is None where the main clause only says what its subject is ("X is a town in what …").

    >>> split_in_situ(Masked("Ulysses was written by an author who was born in which city?"))
    ('Ulysses was written by which author?', '#1 was born in which city?')
    """
    if _FRONTED.match(masked.text):
        return None
    doc = parser()(masked.text)
    asked = next((t for t in doc if asks_here(t)), None)
    if asked is None:
        return None
    clause = next(
        (t for t in (asked, *asked.ancestors) if t.dep_ in {"relcl", "acl"} and _is_noun(t.head)),
        None,
    )
    if clause is None:
        return None
    said = _about_answer(clause)
    if said is None:
        return None
    head = clause.head
    if masked.is_title(head.text):
        return None
    if head.dep_ == "attr" and head.head.lemma_ == "be" and head.head.dep_ == "ROOT":
        subject = next((c for c in head.head.children if c.dep_ == "nsubj"), None)
        if subject is None:
            return None
        return None, masked.unmask(said.replace("#1", text_of(list(subject.subtree)), 1))
    left = [t for c in head.lefts if c.dep_ != "det" for t in c.subtree]
    start = min([head.i, *(t.i for t in head.lefts), *(t.i for t in left)])
    begin = min(t.i for t in clause.subtree)
    within = [t for t in doc[head.i + 1 : begin] if t.lower_ != ","]
    after = [t for t in doc[max(t.i for t in clause.subtree) + 1 :] if not t.is_punct]
    noun = text_of([*left, head, *within])
    before = doc[:start].text_with_ws
    which = "which" if before else "Which"
    first = f"{before}{which} {noun} {text_of(after)}".rstrip() + "?"
    # Where the parser gave the main verb to the clause, nothing is left to ask.
    if next(t for t in parser()(first) if t.dep_ == "ROOT").pos_ not in {"VERB", "AUX"}:
        return None
    return masked.unmask(first), masked.unmask(said)


def _is_noun(token: Any) -> bool:
    return token.pos_ in {"NOUN", "PROPN"}


def _about_answer(clause: Any) -> str | None:
    tokens = [t for t in clause.subtree if not (t.is_punct and t.i == clause.right_edge.i)]
    if clause.dep_ == "acl":
        if clause.tag_ not in {"VBN", "VBG"}:
            return None
        verb = "was" if clause.tag_ == "VBN" else "is"
        return f"#1 {verb} {text_of(tokens)}?"
    subject = next((c for c in clause.children if c.dep_ in {"nsubj", "nsubjpass"}), None)
    first = tokens[0]
    if first.tag_ == "WP$":
        return f"#1's {text_of(tokens[1:])}?"
    if (
        subject is not None
        and subject.i == first.i
        and (first.tag_ in {"WDT", "WP"} or first.lower_ == "that")
    ):
        return f"#1 {text_of(tokens[1:])}?"
    return None


def fronted(text: str) -> str:
    """Ask "#1 was formed in what year?" as a person would: "In what year was #1 formed?"."""
    counted = _COUNTED_LAST.fullmatch(text)
    if counted is not None:
        return f"How{counted[2].removeprefix('how')} does {counted[1]} have?"
    match = _ASKED_LAST.fullmatch(text)
    if match is None:
        return text
    opening = f"{match['to'] or ''}{match['asked']}"
    said = f"{match['verb']} {match['thing']} {match['said']}".strip()
    return f"{opening[0].upper()}{opening[1:]} {said}?"
