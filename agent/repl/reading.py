"""Where the lines of a REPL come from: a prompt with history and completion, or plain input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from agent.errors import UsageError
from agent.settings import data_dir

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings

    from agent.repl.session import Session

PROMPT = "hoptree> "
CONTINUED = "       … "


class Reader(Protocol):
    """Gives one line after another; a line may hold line feeds where it was continued."""

    def read(self) -> str:
        """Return the next line.

        Raises
        ------
        EOFError
            Where there is none.
        KeyboardInterrupt
            Where the person gave up the line.
        UsageError
            Where it is not text.
        """
        ...


class Plain:
    """Reads standard input as it is, in a pipe or on a terminal that can only print."""

    def __init__(self, prompted: bool) -> None:
        self._prompted = prompted
        self._number = 0

    def read(self) -> str:
        lines: list[str] = []
        while True:
            if self._prompted:
                print("... " if lines else PROMPT, end="", flush=True)
            raw = sys.stdin.buffer.readline()
            if not raw and not lines:
                raise EOFError
            self._number += 1
            try:
                line = raw.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise UsageError(
                    f"line {self._number} is not valid UTF-8 (byte {error.start}): convert it first"
                ) from error
            if not line.endswith("\\") or not raw:
                return "\n".join([*lines, line])
            lines.append(line[:-1])


class Prompt:
    """A prompt with history, completion and lines that go on."""

    def __init__(self, session: Session) -> None:
        self._prompt = _prompt_session(session)

    def read(self) -> str:
        return self._prompt.prompt(PROMPT, prompt_continuation=_before)


def _before(width: int, line: int, wrapped: int) -> str:
    """Return what stands before a further line: nothing where only the terminal has folded it."""
    return "" if wrapped else CONTINUED


def _prompt_session(session: Session) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    from agent.repl.completing import Completions

    class Kept(FileHistory):
        def store_string(self, string: str) -> None:
            # A question is asked also where it cannot be kept (a full disk, half a character).
            try:
                super().store_string(string)
            except (OSError, UnicodeEncodeError):
                return

    path = data_dir() / "history"
    history: History
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        history = Kept(path)
        list(history.load_history_strings())
    except (OSError, UnicodeDecodeError) as error:
        session.screen.note(f"the questions are not kept: {path} cannot be used ({error})")
        history = InMemoryHistory()
    return PromptSession(
        history=history,
        completer=Completions(session),
        complete_while_typing=False,
        multiline=True,
        key_bindings=_keys(),
        enable_history_search=True,
    )


def _keys() -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.is_cursor_at_the_end and buffer.text.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys
