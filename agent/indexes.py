"""Opening the index that a setting names."""

from __future__ import annotations

from agent.settings import Settings
from retrievers.passage import Retriever


def open_index(named: str | None, settings: Settings) -> Retriever | None:
    """Open the named index; None where nothing was named and the default does not exist yet.

    Raises
    ------
    retrievers.errors.RetrieverError
        Where a named index is missing or cannot be used.
    """
    if named is not None and named.startswith(("es://", "es+https://")):
        from retrievers.elastic import ElasticsearchRetriever

        return ElasticsearchRetriever.from_url(named)
    from retrievers.embedded import EmbeddedIndex
    from retrievers.errors import IndexNotFoundError

    try:
        return EmbeddedIndex.open(settings.index_folder if named is None else named)
    except IndexNotFoundError:
        if named is not None:
            raise
        return None
