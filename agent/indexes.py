"""Opening the index that a setting names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.settings import Settings
from retrievers.connection import is_address
from retrievers.passage import Retriever

if TYPE_CHECKING:
    from retrievers.elastic import ElasticsearchRetriever


def open_index(named: str | None, settings: Settings) -> Retriever | None:
    """Open the named index; None where nothing was named and the default does not exist yet.

    Raises
    ------
    retrievers.errors.RetrieverError
        Where a named index is missing or cannot be used.
    """
    if named is not None and is_address(named):
        return open_corpus(named, settings)
    from retrievers.embedded import EmbeddedIndex
    from retrievers.errors import IndexNotFoundError

    try:
        return EmbeddedIndex.open(settings.index_folder if named is None else named)
    except IndexNotFoundError:
        if named is not None:
            raise
        return None


def open_corpus(address: str, settings: Settings) -> ElasticsearchRetriever:
    """Return the corpus at an address, for searching and for indexing; nothing is sent yet.

    Raises
    ------
    retrievers.elastic.ElasticsearchAddressError
        Where it is no such address.
    """
    from retrievers.elastic import ElasticsearchRetriever

    return ElasticsearchRetriever.from_url(address, connection=settings.elasticsearch)
