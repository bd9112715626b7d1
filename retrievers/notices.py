"""What a search had to do without, told to whoever listens while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def notice(sentence: str) -> None:
    """Tell the listener of this context, if there is one, what a person should know."""
    listener = _listener.get()
    if listener is not None:
        listener(sentence)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Pass every notice of the calls inside to `listener`; tasks beside them hear nothing."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
