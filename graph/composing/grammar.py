"""The grammars (GBNF) that the answer sentence is written under.

Everything in them that comes from a question, a passage or a person is a literal, so that nothing
of it can be read as a rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_FUNCTION_WORDS = (
    "The the a an of in on at by for to from with and or is was are were be been has had have did "
    "do does it its they their he his she her who which that as than both name called"
).split()
_QUESTION_WORDS = {"who", "what", "which", "when", "where", "why", "how", "whose", "whom"}
MAX_LEAD_WORDS = 18


def _literal(text: str) -> str:
    # llama.cpp reads a grammar up to the first NUL, so none may stand in it.
    plain = text.replace("\0", " ")
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def one_of(sentences: Sequence[str]) -> str:
    """Return the GBNF under which one of the sentences is written, letter by letter."""
    return f"root ::= {' | '.join(map(_literal, sentences))}"


def free_grammar(question: str, answer: str, numbers: Sequence[int], language: str = "en") -> str:
    """Return the GBNF of a free sentence: lead in the question's words, answer, citations.

    For a yes/no answer the sentence begins with it; for a Chinese question there is no lead but
    a copula, since a vocabulary of words cannot be had without spaces.
    """
    cites = "".join(f"[{number}]" for number in numbers)
    if language == "zh":
        return f'root ::= ("答案是" | "答案：") {_literal(answer + cites + "。")}'
    ending = f" {cites}." if cites else "."
    if answer.lower() in {"yes", "no"}:
        return f"root ::= {_literal(answer.capitalize() + ending)}"
    words = [w for w in re.findall(r"[^\s?!,;\"“”]+", question) if not w.startswith("[")]
    # Without the answer's own words, or a small model says the answer over and over.
    taken = _QUESTION_WORDS | {w.lower() for w in answer.split()}
    kept = [w for w in words if w.lower() not in taken]
    vocabulary = list(dict.fromkeys([*kept, *_FUNCTION_WORDS]))
    alternatives = " | ".join(_literal(word) for word in vocabulary)
    return (
        f"root ::= lead {_literal(answer + ending)}\n"
        f'lead ::= (word " "){{0,{MAX_LEAD_WORDS}}}\n'
        f"word ::= {alternatives}"
    )
