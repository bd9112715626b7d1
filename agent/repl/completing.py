"""What the prompt offers: commands, and for each what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, get_args

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from agent.errors import HoptreeError
from agent.feedback import Form, Rating
from agent.repl import changing, views
from agent.repl.commands import COMMANDS, Command
from agent.show import one_line

if TYPE_CHECKING:
    from agent.repl.session import Session

Offered = tuple[str, str]
"""What is put in, and what is said of it."""


class Completions(Completer):
    """Completes commands and their arguments; a question is not completed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._paths = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        text = document.text_before_cursor
        if not text.startswith("/") or "\n" in text:
            return
        name, space, rest = text[1:].partition(" ")
        if not space:
            yield from _matching(name, [(n, c.does) for n, c in COMMANDS.items()])
            return
        command = COMMANDS.get(name)
        if command is None:
            return
        before, _, word = rest.rpartition(" ")
        if command.takes == "files" or (
            command.takes == "setting" and before.split() in (["index"], ["model"])
        ):
            yield from self._paths.get_completions(Document(word), complete_event)
            return
        try:
            yield from _matching(word, self._offered(command, before.split()))
        except HoptreeError:
            return  # nothing was answered yet, so there is nothing to name

    def _offered(self, command: Command, before: list[str]) -> Iterator[Offered]:
        session = self._session
        match command.takes:
            case "source" if not before:
                for number, passage in enumerate(views.sources_of(session.last()), 1):
                    yield str(number), one_line(passage.title or passage.id)
            case "step" | "step and answer" if not before:
                path = views.path_shown(session.last())
                steps = session.last().tree.plans[path.plan].steps
                for number, step in enumerate(steps, 1):
                    yield str(number), one_line(step.text)
            case "step and answer" if len(before) == 1:
                path = views.path_shown(session.last())
                for taken in path.steps:
                    verdict = taken.result.verdict
                    if str(taken.step) == before[0] and verdict is not None:
                        for cluster in verdict.clusters[1:]:
                            yield f'"{one_line(cluster.text)}"', f"strength {cluster.strength:.2f}"
            case "setting" if not before:
                for name, value in changing.values(session.settings).items():
                    yield name, "default" if value is None else str(value)
            case "setting" if len(before) == 1:
                yield changing.DEFAULT, "as the environment and hoptree.toml say"
            case "feedback":
                if not set(before) & set(get_args(Rating)):
                    yield from ((word, "") for word in get_args(Rating))
                yield from ((form, "a better form") for form in get_args(Form))
            case "command" if not before:
                yield from ((name, other.does) for name, other in COMMANDS.items())
            case _:
                return


def _matching(word: str, offered: Iterable[Offered]) -> Iterator[Completion]:
    for text, told in offered:
        if text.startswith(word):
            yield Completion(text, start_position=-len(word), display_meta=told)
