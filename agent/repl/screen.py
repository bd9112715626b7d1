"""Where the REPL writes, and how an answer is shown there while it is made."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from agent.answer import Answer, answer_of, tree_of
from agent.show import Output, asked, cost, draw, safe, source
from graph.events import Event, Notice, StepAsked, Token


@dataclass(frozen=True)
class Screen:
    """The consoles of a REPL."""

    out: Console
    """Answers, and what commands show."""
    notes: Console
    """What is said about them in a pipe: standard error, so that the answers stand alone."""
    drawing: Console
    """Trees: as `out`, but folded at the width of the terminal."""
    terminal: bool
    """Whether a person types and reads here."""
    live: bool
    """Whether what was drawn can be drawn over."""

    @classmethod
    def standard(cls) -> Screen:
        """Return the screen over standard input, output and error."""
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        out = Output(highlight=False, emoji=False, soft_wrap=True)
        return cls(
            out=out,
            notes=Console(highlight=False, stderr=True, soft_wrap=True),
            drawing=Output(highlight=False, emoji=False),
            terminal=terminal,
            live=terminal and not out.is_dumb_terminal,
        )

    def show(self, what: RenderableType) -> None:
        """Print something whole: folded between words on a terminal, as it is in a pipe."""
        (self.drawing if self.terminal else self.out).print(what)

    def note(self, text: str, style: str = "dim") -> None:
        """Say something about what was asked or done."""
        said = Text(safe(text), style)
        if self.terminal:
            self.show(said)
        else:
            self.notes.print(said)

    def fault(self, text: str) -> None:
        """Say that something went wrong."""
        self.note(f"hoptree: {text}", "red")


class _Growing:
    """The tree of a run, drawn while it grows, and folded once it is whole."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._waiting = Spinner("dots", Text("thinking… (Ctrl-C stops)", "dim"))
        self._live: Live | None = Live(
            self._waiting, console=console, transient=True, refresh_per_second=4
        )
        self._live.start()

    def grow(self, events: list[Event]) -> None:
        """Draw the tree as these events make it."""
        if self._live is not None and (tree := tree_of(events)).paths:
            self._live.update(Group(draw(tree, folded=True), self._waiting))

    def notice(self, text: Text) -> None:
        """Print a line above the tree."""
        self._console.print(text)

    def stop(self) -> None:
        """Take the drawing away."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def fold(self, events: list[Event]) -> None:
        """Leave the folded tree where it grew."""
        if self._live is not None:
            self.stop()
            if (tree := tree_of(events)).paths:
                self._console.print(draw(tree, folded=True))


def show_answer(events: Iterable[Event], screen: Screen, kept: list[Event]) -> Answer:
    """Show a run while it goes on: its tree, then its answer token by token, then its sources.

    Each event is put into `kept` as it comes, so that the caller has them where the run is stopped.
    """
    tree = _Growing(screen.drawing) if screen.live else None
    try:
        for event in events:
            kept.append(event)
            match event:
                case Token():
                    if tree is not None:
                        tree.fold(kept)
                    screen.out.print(Text(safe(event.text)), end="")
                case StepAsked():
                    if tree is not None:
                        tree.fold(kept)
                    screen.show(asked(event))
                case Notice():
                    said = Text(safe(event.text), "yellow")
                    screen.out.print(said) if tree is None else tree.notice(said)
                case _:
                    if tree is not None:
                        tree.grow(kept)
    finally:
        if tree is not None:
            tree.stop()
        if any(isinstance(event, Token) for event in kept):
            screen.out.print()  # also behind an answer that was stopped in the middle
    answer = answer_of(kept)
    for citation in answer.citations:
        screen.show(source(citation))
    if screen.terminal:
        screen.note(cost(answer))
    return answer
