"""The final answer in words, faithful by construction.

A small model writes fluent nonsense when left alone. So it writes one sentence under a grammar in
which every word before the answer is a word of the question or a function word, the answer stands
there letter by letter, and the citation numbers are the right ones. What it can choose is wording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from graph.events import Citation
from graph.normalise import is_chinese
from graph.types import Cluster, Outcome, Plan, StepResult
from retrievers.analysis import HAN
from retrievers.passage import Passage

_FUNCTION_WORDS = (
    "The the a an of in on at by for to from with and or is was are were be been has had have did "
    "do does it its they their he his she her who which that as than both name called"
).split()
_QUESTION_WORDS = {"who", "what", "which", "when", "where", "why", "how", "whose", "whom"}
MAX_LEAD_WORDS = 18
_CITATION = re.compile(r"\[\d+\]")


def _literal(text: str) -> str:
    # llama.cpp reads a grammar up to the first NUL, so none may stand in it.
    plain = text.replace("\0", " ")
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def sentence_grammar(
    question: str, answer: str, numbers: Sequence[int], language: str = "en"
) -> str:
    """Return the GBNF of the answer sentence: lead in the question's words, answer, citations.

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


def says(text: str, answer: str) -> bool:
    """Tell whether a text holds an answer as words of their own, and not as a citation's number.

    Chinese is written without spaces, so there an answer may stand anywhere.
    """
    said, wanted = (_CITATION.sub(" ", part).casefold().strip() for part in (text, answer))
    if is_chinese(wanted):
        return wanted in said
    # Beside Han characters a word needs no space.
    letter = rf"[^\W{HAN}]"
    return re.search(rf"(?<!{letter}){re.escape(wanted)}(?!{letter})", said) is not None


def cite(
    outcome: Outcome,
    plan: Plan,
    memory: dict[str, StepResult],
    passages: dict[str, Passage],
    corroborating: int = 2,
) -> list[Citation]:
    """Number the spans that carry a path's answer: one a lookup, in the order of the steps.

    A lookup that is the last step brings up to `corroborating` further spans that say the same.
    """
    cited: list[Citation] = []

    def add(cluster: Cluster, question: str, most: int) -> None:
        for candidate in cluster.candidates[:most]:
            if any(
                c.passage.id == candidate.passage_id and c.start == candidate.start for c in cited
            ):
                continue
            cited.append(
                Citation(
                    number=len(cited) + 1,
                    passage=passages[candidate.passage_id],
                    start=candidate.start,
                    end=candidate.end,
                    quote=candidate.text,
                    question=question,
                )
            )

    lookups = [n for n, step in enumerate(plan.steps, 1) if step.kind == "lookup"]
    for number in lookups:
        bound = outcome.path.bound.get(number)
        result = memory.get(bound.question) if bound else None
        if bound is None or result is None or result.verdict is None:
            continue
        if bound.cluster >= len(result.verdict.clusters):
            continue  # a person gave the answer, and no passage that was found says the same
        last = number == len(plan.steps)
        add(result.verdict.clusters[bound.cluster], result.question, 1 + corroborating * last)
    return cited
