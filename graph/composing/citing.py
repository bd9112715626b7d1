"""What an answer is cited to, and whether a text says it."""

from __future__ import annotations

import re

from graph.events import Citation
from graph.normalise import is_chinese
from graph.types import Cluster, Outcome, Plan, StepResult
from retrievers.analysis import HAN
from retrievers.passage import Passage

_CITATION = re.compile(r"\[\d+\]")


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
