"""One conversation at the prompt: what each line does."""

from __future__ import annotations

import contextlib
import glob
import time
from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from rich.text import Text

from agent.answer import Answer
from agent.api import Agent
from agent.conversation import Conversation
from agent.errors import UsageError, WaitingError
from agent.feedback import Form
from agent.indexing import index_files
from agent.repl import changing, views
from agent.repl.commands import COMMANDS, parsed
from agent.repl.screen import Screen, show_answer
from agent.settings import Settings, expanded
from agent.show import draw, one_line
from graph.events import Event, RunStarted


class Quit(Exception):
    """The person leaves."""


class Session:
    """A conversation over one index with one model, both of which can be changed in it."""

    def __init__(self, settings: Settings, screen: Screen) -> None:
        self.screen = screen
        self.agent = Agent(settings=settings)
        self.conversation = Conversation(self.agent)
        self.answer: Answer | None = None
        """The last whole answer."""
        self.question: str | None = None
        """The last question as it was understood, answered or not."""
        self.run: str | None = None
        """The last run, ended or not."""
        self._shown = time.monotonic()
        self._do: dict[str, Callable[[list[str]], None]] = {
            "cite": self._cite,
            "sources": self._sources,
            "tree": self._tree,
            "why": self._why,
            "retry": self._retry,
            "fork": self._fork,
            "resume": self._resume,
            "set": self._set,
            "index": self._index,
            "feedback": self._feedback,
            "help": self._help,
            "quit": self._quit,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.agent.close()

    @property
    def settings(self) -> Settings:
        return self.agent.settings

    # ── lines ─────────────────────────────────────────────────────────────────────────────────

    def do(self, line: str) -> None:
        """Do what one line says: a command where it begins with a slash, else a question.

        Raises
        ------
        Quit
            Where it says so.
        HoptreeError, retrievers.errors.RetrieverError
            Where it cannot be done; the conversation goes on as it was.
        KeyboardInterrupt
            Where it was stopped.
        """
        if line.startswith("/"):
            command, given = parsed(line)
            self._do[command.name](given)
        elif line.strip():
            self._ask(line.strip())

    def _ask(self, line: str) -> None:
        dwelt = time.monotonic() - self._shown
        understood = self.conversation.understand(line)
        if understood.changed:
            self.screen.note(f"understood as: {one_line(understood.question)} ({understood.why})")
            if self.answer is not None:
                self.agent.feedback(self.answer, follow_up=line, dwell_seconds=dwelt)
        elif understood.why:
            self.screen.note(f"asked as it is: {understood.why}")
        self.question = understood.question
        self._show(self.agent.stream(understood.question))

    def _show(self, run: Generator[Event, None, None]) -> None:
        """Show a run to its end, and remember its answer."""
        kept: list[Event] = []
        try:
            with contextlib.closing(run) as events:
                self.answer = show_answer(events, self.screen, kept)
        except KeyboardInterrupt:
            begun = any(isinstance(event, RunStarted) for event in kept)
            self.screen.note("stopped" + "; /resume goes on with it" * begun, "yellow")
            raise
        except WaitingError:
            if not self.screen.terminal:
                raise
            self.screen.note("/resume ANSWER answers it, /resume alone takes what was found")
            return
        finally:
            self.run = next((e.run for e in kept if isinstance(e, RunStarted)), self.run)
        self.conversation.add(self.answer)
        self._shown = time.monotonic()

    def last(self) -> Answer:
        """Return the last whole answer.

        Raises
        ------
        UsageError
            Where there is none yet.
        """
        if self.answer is None:
            raise UsageError("nothing was answered yet: ask a question first")
        return self.answer

    # ── looking at the answer ─────────────────────────────────────────────────────────────────

    def _cite(self, given: list[str]) -> None:
        number = _number(given, "/cite 2")
        if number is None:
            raise UsageError("say which source: /cite 2; /sources lists them")
        self.screen.show(views.passage_view(self.last(), number))

    def _sources(self, given: list[str]) -> None:
        _none(given, "/sources")
        lines = list(views.source_lines(self.last()))
        for line in lines or [Text("no passage was found", "dim")]:
            self.screen.show(line)

    def _tree(self, given: list[str]) -> None:
        _none(given, "/tree")
        self.screen.drawing.print(draw(self.last().tree))

    def _why(self, given: list[str]) -> None:
        for line in views.why_lines(self.last(), _number(given, "/why [STEP]")):
            self.screen.show(line)

    # ── asking differently ────────────────────────────────────────────────────────────────────

    def _retry(self, given: list[str]) -> None:
        _none(given, "/retry")
        if self.question is None:
            raise UsageError("nothing was asked yet: ask a question first")
        self._show(self.agent.stream(self.question))

    def _fork(self, given: list[str]) -> None:
        usage = 'say which step has which answer: /fork 2 "ANSWER"'
        if len(given) < 2 or not given[0].isdecimal():
            raise UsageError(usage)
        run = self.last().run
        self._show(self.agent.stream_fork(run, int(given[0]), " ".join(given[1:])))

    def _resume(self, given: list[str]) -> None:
        if self.run is None:
            raise UsageError("nothing was asked yet: ask a question first")
        self._show(self.agent.stream_resume(self.run, " ".join(given) or None))

    # ── settings, documents, feedback ─────────────────────────────────────────────────────────

    def _set(self, given: list[str]) -> None:
        if len(given) > 2:
            raise UsageError("a setting has one value: /set NAME VALUE")
        if len(given) == 2:
            self._change(changing.changed(self.settings, *given), given[0])
        told = changing.values(self.settings)
        wanted = [given[0].removeprefix("limits.")] if given else list(told)
        if wanted[0] not in told:
            raise UsageError(f"there is no setting {wanted[0]!r}: /set alone lists them")
        for name in wanted:
            value = told[name]
            self.screen.show(Text(f"{name} = {'default' if value is None else value}"))

    def _change(self, settings: Settings, name: str) -> None:
        """Go on with other settings; where what they name cannot be used, with the ones before."""
        if name not in changing.PARTS:
            self.agent.settings = settings
            return
        other = Agent(settings=settings)
        try:
            other.load()
        except BaseException:
            other.close()
            raise
        self.agent.close()
        self.agent = self.conversation.agent = other

    def _index(self, given: list[str]) -> None:
        if not given:
            raise UsageError("say what to index: /index FILES…")
        paths = [path for name in given for path in _matching(name)]
        index_files(paths, self.settings, [], False, self.screen.drawing)

    def _feedback(self, given: list[str]) -> None:
        rating = next((word for word in given if word in {"good", "bad"}), None)
        rest = [word for word in given if word != rating and word != "form"]
        if len(rest) > 1 or not given:
            raise UsageError("feedback is a rating, a form, or both: /feedback good|bad [FORM]")
        self.agent.feedback(
            self.last(),
            "good" if rating == "good" else "bad" if rating else None,
            form=cast("Form | None", rest[0] if rest else None),  # checked where it is kept
            dwell_seconds=time.monotonic() - self._shown,
        )
        self.screen.note("kept")

    def _help(self, given: list[str]) -> None:
        named = [name.removeprefix("/") for name in given]
        unknown = [name for name in named if name not in COMMANDS]
        if unknown:
            raise UsageError(f"there is no command /{unknown[0]}: /help lists them")
        chosen = [COMMANDS[name] for name in named] or list(COMMANDS.values())
        if not named:
            self.screen.show(
                "Ask a question, or a follow-up (“and her husband?”). Esc-Enter or a \\ at the end "
                "goes on in a new line; Ctrl-C stops an answer."
            )
        width = max(len(command.usage) for command in COMMANDS.values()) + 2
        for command in chosen:
            self.screen.show(Text(f"{command.usage:<{width}}{command.does}"))

    def _quit(self, given: list[str]) -> None:
        _none(given, "/quit")
        raise Quit


def _matching(name: str) -> list[Path]:
    """Return the files that a name means, which a shell would have found: `~` and `*` in it."""
    path = expanded(Path(name))
    found = glob.glob(str(path), recursive=True)  # noqa: PTH207 (Path.glob takes no absolute path)
    return [Path(each) for each in sorted(found)] or [path]


def _none(given: list[str], usage: str) -> None:
    if given:
        raise UsageError(f"{usage} takes nothing")


def _number(given: list[str], usage: str) -> int | None:
    if len(given) > 1 or (given and not given[0].strip("[]").isdecimal()):
        raise UsageError(f"that is no number: {usage}")
    return int(given[0].strip("[]")) if given else None
