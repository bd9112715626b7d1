"""What the commands of the REPL show of an answer, as text that a passage cannot forge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from agent.answer import Answer, PathTaken, StepTaken
from agent.errors import UsageError
from agent.show import one_line, safe
from graph.types import Candidate, Cluster
from retrievers.passage import Passage

_CANDIDATES = 5
"""Clusters of candidates shown of a step; the rest are counted."""


def sources_of(answer: Answer) -> list[Passage]:
    """Return the passages in the order of their numbers: the citations' first, which may repeat."""
    cited = [citation.passage for citation in answer.citations]
    known = {passage.id for passage in cited}
    return [*cited, *(passage for passage in answer.passages if passage.id not in known)]


def source_lines(answer: Answer) -> Iterator[Text]:
    """Yield one line a source: number, title, id, and what is quoted of it."""
    for number, passage in enumerate(sources_of(answer), 1):
        cited = answer.citations[number - 1] if number <= len(answer.citations) else None
        line = Text(f"[{number}] ", "" if cited else "dim")
        line.append(one_line(passage.title or passage.id), "bold" if cited else "")
        line.append(f" ({one_line(passage.id)})", "dim")
        if cited:
            line.append(" ").append(f"“{one_line(cited.quote)}”", "underline")
        yield line


def passage_view(answer: Answer, number: int) -> Text:
    """Return the whole passage behind a number of `sources_of`, its quotes highlighted.

    Raises
    ------
    UsageError
        Where there is no such number.
    """
    passages = sources_of(answer)
    if not 1 <= number <= len(passages):
        count = len(passages)
        raise UsageError(
            f"there is no source {number}: "
            + (f"they are numbered 1 to {count}" if count else "the last answer has none")
        )
    passage = passages[number - 1]
    quotes = [c for c in answer.citations if c.passage.id == passage.id]
    view = Text.assemble(
        (f"[{number}] ", "dim"), (one_line(passage.title or passage.id), "bold"), "\n"
    )
    where = [passage.id, passage.source, passage.url or ""]
    view.append(" · ".join(one_line(part) for part in dict.fromkeys(where) if part), "dim")
    for quote in quotes:
        view.append(f"\nanswers “{one_line(quote.question)}”", "dim")
    view.append("\n\n")
    at = 0
    for start, end in sorted({(c.start, c.end) for c in quotes}):
        view.append(safe(passage.text[at : max(start, at)]))
        view.append(safe(passage.text[max(start, at) : end]), "reverse")
        at = max(end, at)
    return view.append(safe(passage.text[at:]))


def path_shown(answer: Answer) -> PathTaken:
    """Return the path that the answer came from, else the last one.

    Raises
    ------
    UsageError
        Where no path was opened: the model answered alone.
    """
    paths = answer.tree.paths
    if not paths:
        raise UsageError("the last answer has no steps: the model gave it alone, without sources")
    solved = [path for path in paths if path.answer == answer.answer and path.answer is not None]
    return solved[-1] if solved else paths[-1]


def why_lines(answer: Answer, step: int | None = None) -> Iterator[Text]:
    """Yield the verdict on each step, or on one, in words, with its candidates.

    Raises
    ------
    UsageError
        Where the path that the answer came from has no such step.
    """
    path = path_shown(answer)
    plan = answer.tree.plans[path.plan]
    count = len(plan.steps)
    if step is not None and not 1 <= step <= count:
        raise UsageError(f"there is no step {step}: they are numbered 1 to {count}")
    taken = {each.step: each for each in path.steps}
    titles = {passage.id: passage.title for passage in answer.passages}
    yield Text(f"path {path.number}: {one_line(path.origin)}", "dim")
    for number in range(1, count + 1) if step is None else [step]:
        if number in taken:
            yield from _why(taken[number], titles)
        elif number in path.bound:
            bound = one_line(path.bound[number])
            text = one_line(plan.steps[number - 1].text)
            yield Text(f"{number}. {text} → {bound} (from an earlier path)")
        else:
            yield Text(f"{number}. {one_line(plan.steps[number - 1].text)}: not reached", "dim")
    if path.failure is not None:
        yield Text(f"left at step {path.failure.step}: {one_line(path.failure.detail)}", "red")


def _why(taken: StepTaken, titles: dict[str, str]) -> Iterator[Text]:
    result = taken.result
    line = Text(f"{taken.step}. {one_line(result.question)} → ")
    verdict = result.verdict
    if verdict is None:
        detail = result.failure.detail if result.failure else ""
        yield line.append("no verdict: ", "red").append(one_line(detail), "red")
        return
    line.append(one_line(verdict.answer), "bold green")
    yield line.append(f" (confidence {verdict.confidence:.2f}, margin {verdict.margin:.2f})", "dim")
    if verdict.explanation:
        yield Text(f"   {one_line(verdict.explanation)}")
    for cluster in verdict.clusters[:_CANDIDATES]:
        yield from _candidates(cluster, titles)
    if len(verdict.clusters) > _CANDIDATES:
        yield Text(f"   … and {len(verdict.clusters) - _CANDIDATES} weaker candidates", "dim")


def _candidates(cluster: Cluster, titles: dict[str, str]) -> Iterator[Text]:
    votes = f"{cluster.votes} vote{'s' if cluster.votes != 1 else ''}"
    yield Text.assemble(
        ("   • ", "dim"),
        one_line(cluster.text),
        (f"  strength {cluster.strength:.2f}, {votes}, read in ", "dim"),
        (_places(cluster.candidates, titles), "dim"),
    )


def _places(candidates: Sequence[Candidate], titles: dict[str, str]) -> str:
    places = dict.fromkeys(one_line(titles.get(c.passage_id) or c.passage_id) for c in candidates)
    return ", ".join(places)
