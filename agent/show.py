"""How an answer looks in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree as Drawing

from agent.answer import Answer, PathTaken, StepTaken, Tree, answer_of
from graph.events import Citation, Event, Notice, PathOpened, Token

_CONTEXT = 90
"""Characters of a passage shown on each side of a cited span."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def safe(text: str) -> str:
    """Strip control characters, so that a passage cannot drive the terminal."""
    return _CONTROL.sub("", text)


def show_json(answer: Answer) -> None:
    """Print the machine form on standard output."""
    print(answer.model_dump_json(indent=2))


def show_stream(events: Iterable[Event], out: Console, progress: Console, explain: bool) -> Answer:
    """Print the answer as it is written, then its sources; with `explain`, the tree as well."""
    kept: list[Event] = []
    status = progress.status("thinking…") if progress.is_terminal else None
    if status:
        status.start()
    try:
        for event in events:
            kept.append(event)
            match event:
                case PathOpened() if status:
                    status.update(f"path {event.number}: {escape(safe(event.path.origin))}")
                case Notice():
                    out.print(safe(event.text), style="yellow", markup=False)
                case Token():
                    if status:
                        status.stop()
                    out.print(safe(event.text), end="", markup=False)
                case _:
                    pass
    finally:
        if status:
            status.stop()
    out.print()
    answer = answer_of(kept)
    for citation in answer.citations:
        out.print(_source(citation))
    if explain:
        out.print()
        out.print(draw(answer.tree))
        used = answer.usage
        out.print(
            f"{used.seconds:.1f} s · {used.model_calls} model calls, {used.input_tokens}+"
            f"{used.output_tokens} tokens · {used.retrieval_calls} retrieval calls · run {answer.run}",
            style="dim",
        )
    return answer


def _source(citation: Citation) -> str:
    text, start, end = citation.passage.text, citation.start, citation.end
    before = ("…" if start > _CONTEXT else "") + text[max(0, start - _CONTEXT) : start]
    after = text[end : end + _CONTEXT] + ("…" if end + _CONTEXT < len(text) else "")
    title = citation.passage.title or citation.passage.id
    parts = [escape(safe(part).replace("\n", " ")) for part in (before, citation.quote, after)]
    return (
        f"[dim]\\[{citation.number}][/dim] [bold]{escape(safe(title))}[/bold] "
        f"[dim]({escape(safe(citation.passage.id))}:{start}-{end})[/dim] "
        f"{parts[0]}[bold underline]{parts[1]}[/bold underline]{parts[2]}"
    )


def draw(tree: Tree) -> Drawing:
    """Draw the question tree: every path, its steps, and why a path was left."""
    drawing = Drawing(f"[bold]{escape(safe(tree.question))}[/bold]")
    for path in tree.paths:
        branch = drawing.add(_headline(path))
        steps = tree.plans[path.plan].steps
        taken = {step.step: step for step in path.steps}
        for number, step in enumerate(steps, 1):
            shown = taken.get(number)
            if shown is None:
                branch.add(f"[dim]{number}. {escape(safe(step.text))}[/dim]")
            else:
                branch.add(_step(shown))
        if path.failure is not None:
            branch.add(f"[red]left: {escape(safe(path.failure.detail))}[/red]")
    return drawing


def _headline(path: PathTaken) -> str:
    ended = (
        f" → [green]{escape(safe(path.answer))}[/green] ({path.confidence:.2f})"
        if path.answer is not None
        else ""
    )
    return f"path {path.number}: {escape(safe(path.origin))}{ended}"


def _step(taken: StepTaken) -> str:
    question = f"{taken.step}. {escape(safe(taken.result.question))}"
    verdict = taken.result.verdict
    if verdict is None:
        return f"{question} → [red]no verdict[/red]"
    again = " [dim](remembered)[/dim]" if taken.remembered else ""
    why = f" [dim]{escape(safe(verdict.explanation))}[/dim]" if verdict.explanation else ""
    return f"{question} → [green]{escape(safe(verdict.answer))}[/green]{again}{why}"
