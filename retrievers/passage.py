"""The unit of evidence, and what a retriever promises to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field


class Passage(BaseModel):
    """A stretch of a document that can be retrieved, read and cited.

    `text` is the document's own text, unchanged, so that `text[start:end]` of any citation can be
    checked against the source; `offset` is where it begins in the document, in characters.
    `time_start` and `time_end` are seconds and belong to transcripts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    title: str = ""
    document: str = ""
    """Id of the document that this passage was split from; equals `id` where nothing was split."""
    source: str = ""
    """Where the document came from (a file, a site): passages of one source share one vote."""
    url: str | None = None
    offset: int = Field(default=0, ge=0)
    time_start: float | None = None
    time_end: float | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Hit(BaseModel):
    """A passage found for a query, with its fused score and the rank in each list it stood in."""

    model_config = ConfigDict(frozen=True)

    passage: Passage
    score: float
    lexical_rank: int | None = None
    """0-based rank in the BM25 list; None where BM25 did not return it."""
    dense_rank: int | None = None
    """0-based rank in the vector list; None where it did not return it."""
    title_rank: int | None = None
    """0-based rank among the passages whose title the query names; None where it does not."""
    phrase_rank: int | None = None
    """0-based rank among those that write out a name in it of several words; None where not."""
    spans: tuple[tuple[int, int], ...] = ()
    """Where words of the query stand in `passage.text`, where the backend was asked to say."""


@runtime_checkable
class Retriever(Protocol):
    """Searches passages. Every backend passes `tests/retrievers/test_conformance.py`."""

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        """Return up to `k` hits a query, best first, in one round trip for all the queries."""
        ...

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order, leaving out unknown ids."""
        ...

    async def count(self) -> int:
        """Return the number of passages."""
        ...

    async def aclose(self) -> None:
        """Release files and connections. Calling it twice is fine."""
        ...
