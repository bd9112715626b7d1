"""LangChain's retrievers: ours as theirs, and theirs as ours."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from retrievers.errors import RetrieverError
from retrievers.fusion import rrf
from retrievers.passage import Hit, Passage, Retriever

REMEMBERED = 10_000
"""Passages that an adapted retriever can give back by their ids."""


class PassageRetriever(BaseRetriever):
    """Any of our retrievers as one of LangChain's.

    A document has the passage's text as its content and the passage's id as its own; what else is
    known of the passage is in its metadata, with the `score` of the search, which ranks the
    documents of one query and says nothing across queries.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Any
    """A `retrievers.passage.Retriever`."""
    k: int = Field(default=10, ge=1)
    """Most documents a query."""

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        [hits] = await self.retriever.search([query], self.k)
        return [_document(hit) for hit in hits]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        # In a thread of its own, as the caller's may run an event loop (a notebook's does).
        with ThreadPoolExecutor(1) as thread:
            searching = self.retriever.search([query], self.k)
            [hits] = thread.submit(asyncio.run, searching).result()
        return [_document(hit) for hit in hits]


def _document(hit: Hit) -> Document:
    told = hit.passage.model_dump(exclude={"text", "metadata"}, exclude_none=True)
    return Document(
        id=hit.passage.id,
        page_content=hit.passage.text,
        metadata={**hit.passage.metadata, **told, "score": hit.score},
    )


class LangChainRetriever:
    """A foreign LangChain retriever as one of ours, as far as it goes.

    What LangChain does not say is made up for, or lacking:

    - A document without an id gets one from its text, so the same text is the same passage.
    - The order of the documents is all that is taken of their ranking.
    - A foreign retriever decides itself how many documents it gives; more than `k` are cut off.
    - Several queries are several calls, at the same time, and not one round trip.
    - `get` knows only passages that were found before, the last 10,000 of them.
    - `count` cannot be known: it is the number of passages found so far, and at least 1.
    """

    def __init__(self, foreign: BaseRetriever) -> None:
        self._foreign = foreign
        self._known: dict[str, Passage] = {}

    def __repr__(self) -> str:
        return f"LangChain's {type(self._foreign).__name__}"

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        """Return up to `k` hits a query, best first.

        Raises
        ------
        RetrieverError
            For whatever the foreign retriever raises.
        """
        try:
            found = await asyncio.gather(*(self._foreign.ainvoke(query) for query in queries))
        except Exception as error:
            raise RetrieverError(f"{self!r} failed: {type(error).__name__}: {error}") from error
        return [self._hits(documents, k) for documents in found]

    def _hits(self, documents: Sequence[Document], k: int) -> list[Hit]:
        passages: dict[str, Passage] = {}
        for document in documents:
            if document.page_content.strip():
                passage = self._passage(document)
                passages.setdefault(passage.id, passage)
        scores = dict(rrf([list(passages)]))
        return [Hit(passage=p, score=scores[name]) for name, p in passages.items()][:k]

    def _passage(self, document: Document) -> Passage:
        text, told = document.page_content, dict(document.metadata)
        digest = hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:12]
        name = str(document.id or told.get("id") or digest)
        if name in self._known and self._known[name].text != text:
            name = f"{name}#{digest}"  # two parts of one document
        source = str(told.get("source") or "")
        url = told.get("url")
        passage = Passage(
            id=name,
            text=text,
            title=str(told.get("title") or ""),
            document=str(told.get("document") or document.id or name),
            source=source,
            url=str(url) if url else None,
            metadata=told,
        )
        self._known.pop(name, None)
        self._known[name] = passage
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return passage

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, of those that were found before."""
        return [self._known[name] for name in ids if name in self._known]

    async def count(self) -> int:
        """Return how many passages were found so far, at least 1: no more can be known."""
        return max(1, len(self._known))

    async def aclose(self) -> None:
        """Do nothing: whoever made the foreign retriever closes it."""


def adapted(index: object) -> Retriever:
    """Return one of our retrievers as it is, and a foreign one of LangChain's adapted.

    Raises
    ------
    TypeError
        Where it is neither.
    """
    if isinstance(index, Retriever):
        return index
    if isinstance(index, BaseRetriever):
        return LangChainRetriever(index)
    raise TypeError(
        f"an index is a folder, an es:// address, a Retriever or a LangChain retriever, "
        f"and not a {type(index).__name__}"
    )
