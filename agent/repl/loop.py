"""The loop: read a line, do it, tell what went wrong, go on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from agent.errors import HoptreeError
from agent.repl.reading import Plain, Prompt, Reader
from agent.repl.screen import Screen
from agent.repl.session import Quit, Session
from agent.settings import Settings
from retrievers.errors import RetrieverError


def run(settings: Settings) -> int:
    """Hold a conversation over standard input and output; return the exit code.

    On a terminal that is 0 whatever happened, as the person saw it. In a pipe it is the code of the
    first line that could not be done; the lines after it are done all the same.
    """
    screen = Screen.standard()
    with Session(settings, screen) as session:
        reader: Reader
        if screen.live:
            reader = Prompt(session)
            _greet(session)
        else:
            reader = Plain(prompted=screen.terminal)
        with _warming(session) if screen.terminal else contextlib.nullcontext():
            code = _lines(session, reader)
    return 0 if screen.terminal else code


def _greet(session: Session) -> None:
    index = session.settings.index
    place = index if index is not None else str(session.settings.index_folder)
    session.screen.note(f"index {place} · /help says what else there is")


@contextlib.contextmanager
def _warming(session: Session) -> Iterator[None]:
    """Load the model and the index while the first question is typed."""

    def load() -> None:
        # What is wrong with them is told at the first question.
        with contextlib.suppress(HoptreeError, RetrieverError):
            session.agent.load()

    thread = threading.Thread(target=load, name="hoptree-load", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _lines(session: Session, reader: Reader) -> int:
    screen, code = session.screen, 0
    while True:
        try:
            session.do(reader.read())
            failed = 0
        except (EOFError, Quit):
            return code
        except KeyboardInterrupt:
            if not screen.terminal:
                raise
            if not screen.live:
                screen.out.print()
            continue
        except (HoptreeError, RetrieverError) as error:
            screen.fault(str(error))
            failed = error.exit_code
        except BrokenPipeError:
            raise
        except Exception as error:
            screen.fault(f"unexpected {type(error).__name__}: {error}")
            failed = 1
        code = code or failed
        if not screen.terminal:
            screen.out.print()  # between the answers
