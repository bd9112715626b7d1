"""What a run has told so far, kept so that a run that was killed neither pays nor tells twice.

LangGraph runs a node again in which a process was killed. What the node had told until then stands
in the trace already: a call that had finished is taken from there and not made again, and an event
that comes again is not told again. Tokens are the exception: a sentence that was cut is written
anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from graph.events import Answered, Event, RunFailed, RunResumed, Token

E = TypeVar("E", bound=Event)
_ANEW = (Token, RunResumed, RunFailed)
"""What is told again after each kill."""


class Journal:
    """Appends the events of one run, in order.

    Parameters
    ----------
    write
        Called with each new event before anything goes on. None keeps nothing.
    told
        The events that a killed run left behind.
    settled
        How many of them its last checkpoint covers: those are of nodes that do not run again.
    """

    def __init__(
        self,
        write: Callable[[Event], None] | None = None,
        told: Sequence[Event] = (),
        settled: int = 0,
    ) -> None:
        self._write = write
        self._unsettled = [event for event in told[settled:] if not isinstance(event, _ANEW)]
        self.count = len(told)
        """How many events the run has told."""
        self.ended = any(isinstance(event, Answered) for event in told)
        """Whether the run has told how it ended."""

    def add(self, event: Event) -> bool:
        """Append an event; return False, and append nothing, where it was told before the kill."""
        for told in self._unsettled:
            if type(told) is type(event) and told.model_copy(update={"at": event.at}) == event:
                self._unsettled.remove(told)
                return False
        if self._write is not None:
            self._write(event)
        self.count += 1
        self.ended = self.ended or isinstance(event, Answered)
        return True

    def finished(self, kind: type[E], **same: object) -> E | None:
        """Return a call that had finished before the kill, by its request; each only once."""
        for told in self._unsettled:
            if isinstance(told, kind) and all(getattr(told, k) == v for k, v in same.items()):
                self._unsettled.remove(told)
                return told
        return None

    def settle(self) -> None:
        """Forget what was left behind: a checkpoint was written, so no node runs again."""
        self._unsettled.clear()
