"""How an answer looks in a terminal.

Text is put together from `Text` pieces, never from markup: what a passage holds is shown as it is.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text
from rich.tree import Tree as Drawing

from agent.answer import Answer, PathTaken, StepTaken, Tree, answer_of
from graph.events import Citation, Event, Notice, PathOpened, RunStarted, StepAsked, Token
from graph.types import SubQuestion

_CONTEXT = 90
"""Characters of a passage shown on each side of a cited span."""
_SHOWN_CANDIDATES = 5
"""Candidates of a step that a person is asked about."""
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What a text must not bring to a terminal: C0 and C1 control characters but tab and line feed,
what changes the writing direction or breaks a line, half characters, and invisible tags."""


class Output(Console):
    """A console whose reader may go away, which ends a command in peace."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # and not exit with 1


def safe(text: str) -> str:
    """Strip control characters, so that a passage cannot drive the terminal."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """Return the safe text on one line, so that a passage cannot look like our own lines."""
    return safe(text).replace("\n", " ").replace("\t", " ")


def show_json(answer: Answer) -> None:
    """Print the machine form on standard output, escaped where that is not UTF-8."""
    utf8 = codecs.lookup(sys.stdout.encoding or "utf-8").name == "utf-8"
    print(json.dumps(answer.model_dump(mode="json"), indent=2, ensure_ascii=not utf8))


def show_stream(events: Iterable[Event], out: Console, progress: Console, explain: bool) -> Answer:
    """Print the answer as it is written, then its sources; with `explain`, the tree as well."""
    kept: list[Event] = []
    run = ""
    drawn = progress.is_terminal and not progress.is_dumb_terminal
    status = progress.status("thinking…") if drawn else None
    if status:
        status.start()
    try:
        for event in events:
            kept.append(event)
            match event:
                case RunStarted():
                    run = event.run
                case StepAsked():
                    out.print(asked(event))
                case PathOpened() if status:
                    status.update(Text(f"path {event.number}: {one_line(event.path.origin)}"))
                case Notice():
                    out.print(Text(safe(event.text), "yellow"))
                case Token():
                    if status:
                        status.stop()
                    out.print(Text(safe(event.text)), end="")
                case _:
                    pass
    except KeyboardInterrupt:
        if run:
            progress.print(f"hoptree resume {run} goes on with it", style="dim")
        raise
    finally:
        if status:
            status.stop()
    out.print()
    answer = answer_of(kept)
    for citation in answer.citations:
        out.print(source(citation))
    if explain:
        out.print()
        out.print(draw(answer.tree), soft_wrap=False)  # which would cut what does not fit a line
        out.print(cost(answer), style="dim")
    return answer


def asked(event: StepAsked) -> Text:
    """Return what a person needs to know to answer a step."""
    text = Text(f"{event.step}. {one_line(event.result.question)}\n", "bold")
    verdict = event.result.verdict
    for cluster in verdict.clusters[:_SHOWN_CANDIDATES] if verdict is not None else ():
        text.append(f"   {one_line(cluster.text)}", "green").append(f" ({cluster.strength:.2f})\n")
    if verdict is None:
        text.append("   nothing was found\n", "red")
    return text


def cost(answer: Answer) -> str:
    """Return what an answer took, and the name of its run, on one line."""
    used = answer.usage
    return (
        f"{used.seconds:.1f} s · {used.model_calls} model calls, "
        f"{used.input_tokens}+{used.output_tokens} tokens · "
        f"{used.retrieval_calls} retrieval calls · run {answer.run}"
    )


def source(citation: Citation) -> Text:
    """Return a citation on one line: where it stands, and the quote in what is around it."""
    text, start, end = citation.passage.text, citation.start, citation.end
    before = ("…" if start > _CONTEXT else "") + text[max(0, start - _CONTEXT) : start]
    after = text[end : end + _CONTEXT] + ("…" if end + _CONTEXT < len(text) else "")
    return Text.assemble(
        (f"[{citation.number}] ", "dim"),
        (one_line(citation.passage.title or citation.passage.id), "bold"),
        (f" ({one_line(citation.passage.id)}:{start}-{end}) ", "dim"),
        one_line(before),
        (one_line(citation.quote), "bold underline"),
        one_line(after),
    )


def draw(tree: Tree, *, folded: bool = False) -> Drawing:
    """Draw the question tree: every path, its steps, and why a path was left.

    Where it is `folded`, a path that was left takes one line.
    """
    drawing = Drawing(Text(one_line(tree.question), "bold"))
    for path in tree.paths:
        if folded and path.failure is not None:
            left = _headline(path).append(f" left: {one_line(path.failure.detail)}", "red")
            drawing.add(left)
            continue
        branch = drawing.add(_headline(path))
        taken = {step.step: step for step in path.steps}
        for number, step in enumerate(tree.plans[path.plan].steps, 1):
            shown = taken.get(number)
            branch.add(_step(shown) if shown else _untaken(number, step, path.bound.get(number)))
        if path.failure is not None:
            branch.add(Text(f"left: {one_line(path.failure.detail)}", "red"))
    return drawing


def _headline(path: PathTaken) -> Text:
    line = Text(f"path {path.number}: {one_line(path.origin)}")
    if path.answer is not None:
        line.append(" → ").append(one_line(path.answer), "green").append(
            f" ({path.confidence:.2f})"
        )
    return line


def _untaken(number: int, step: SubQuestion, bound: str | None) -> Text:
    line = Text(f"{number}. {one_line(step.text)}", "dim")
    return line if bound is None else line.append(f" → {one_line(bound)}")


def _step(taken: StepTaken) -> Text:
    line = Text(f"{taken.step}. {one_line(taken.result.question)} → ")
    verdict = taken.result.verdict
    if verdict is None:
        return line.append("no verdict", "red")
    line.append(one_line(verdict.answer), "green")
    if taken.remembered:
        line.append(" (remembered)", "dim")
    if verdict.explanation:
        line.append(f" {one_line(verdict.explanation)}", "dim")
    return line
