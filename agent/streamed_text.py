"""Text that comes as bytes, token by token: whole characters out, nothing past a stop text."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class StreamedText:
    """Join pieces of UTF-8 and look for stop texts across them."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting = ""
        self.stopped = False
        """Whether a stop text was met; what came from it on is dropped."""

    def add(self, piece: bytes) -> str:
        """Return what can be told after this piece, perhaps nothing yet.

        A part of a character waits for its rest, and what may begin a stop text until it is known.
        """
        if self.stopped:
            return ""
        text = self._waiting + self._decoder.decode(piece)
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.stopped, self._waiting = True, ""
            return text[: min(found)]
        safe = len(text) - self._held(text)
        self._waiting = text[safe:]
        return text[:safe]

    def end(self) -> str:
        """Return what still waits, when no more comes; a part of a character is dropped."""
        rest, self._waiting = self._waiting, ""
        return rest

    def _held(self, text: str) -> int:
        """Return how many characters at the end of the text could begin a stop text."""
        return max(
            (
                length
                for stop in self._stops
                for length in range(1, min(len(stop), len(text) + 1))
                if text.endswith(stop[:length])
            ),
            default=0,
        )
